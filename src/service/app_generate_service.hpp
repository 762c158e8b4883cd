#pragma once
// The entry of every run: checks the request and hands it to the runner of the app's mode.

#include "service/app_runner.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace flowspan::service {

struct GenerateRequest {
    std::shared_ptr<const LoadedApp> app;
    json::object inputs;
    std::string query;
    json::array files;  ///< mappings or records of files given with the query
    std::string user;   ///< the end user; opaque
    std::string user_type = "end-user";
    std::string conversation_id;  ///< empty starts a new conversation
    std::string invoke_from = "cli";
    bool is_streaming = true;
    int call_depth = 0;
    /// The caller's own id of the trace; stands on the app's span. One that can be a trace id
    /// becomes the trace's id, unless the caller's span is known. Dropped unless it
    /// `is_external_trace_id`.
    std::string trace_id;
    bool is_trace_kept = false;  ///< whatever the sampling of runs says
    engine::RunControl control;
    RunKeeper* keeper = nullptr;  ///< takes snapshots as the run goes along; null: nobody
};

struct ResumeRequest {
    std::shared_ptr<const LoadedApp> app;  ///< made from `paused.app_source`
    PausedRun paused;
    json::object answers;  ///< of check_form_answer(), by form id
    std::string user_type = "end-user";
    bool is_streaming = true;
    engine::RunControl control;
    RunKeeper* keeper = nullptr;
};

/// 1 to 128 of A-Z a-z 0-9 _ and -.
[[nodiscard]] bool is_external_trace_id(std::string_view text) noexcept;

struct GenerateResult {
    std::shared_ptr<const engine::RunInfo> info;  ///< never null
    engine::RunResult run;
    std::shared_ptr<const PausedRun> paused;  ///< what resumes a run that ended as paused
};

class AppGenerateService {
public:
    virtual ~AppGenerateService() = default;

    /// Errors (`invalid_input`, `unsupported`) mean that nothing ran. `request` and `consumer` must
    /// outlive the task.
    [[nodiscard]] virtual Task<Result<GenerateResult>> generate(
        const GenerateRequest& request, engine::EventSink& consumer
    ) = 0;

    /// Goes on with a paused or interrupted run, in the same trace. Errors mean that nothing ran.
    [[nodiscard]] virtual Task<Result<GenerateResult>> resume(
        const ResumeRequest& request, engine::EventSink& consumer
    ) = 0;
};

/// Runners by app mode; all must outlive the service.
struct Runners {
    AppRunner& workflow;
    AppRunner& advanced_chat;
};

[[nodiscard]] std::unique_ptr<AppGenerateService> make_app_generate_service(
    Runners runners, Random& random
);

}  // namespace flowspan::service
