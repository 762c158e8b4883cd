#include "service/app_generate_service.hpp"

#include "service/file_rules.hpp"
#include "service/input_form.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::service {

namespace {

// Nested workflows; the limit of the original.
constexpr int kCallDepthMax = 5;

class GenerateService final : public AppGenerateService {
public:
    GenerateService(Runners runners, Random& random) : runners_(runners), random_(random) {}

    Task<Result<GenerateResult>> generate(
        const GenerateRequest& request, engine::EventSink& consumer
    ) override {
        // Used where it is: a copy beside it would stay in memory as long as the run lasts.
        auto run = prepare(request);
        if (!run) {
            co_return failure(std::move(run).error());
        }
        co_return conclude(*run, co_await runner_of(*run).run(*run, consumer));
    }

    Task<Result<GenerateResult>> resume(const ResumeRequest& request, engine::EventSink& consumer)
        override {
        auto run = prepare(request);
        if (!run) {
            co_return failure(std::move(run).error());
        }
        co_return conclude(*run, co_await runner_of(*run).run(*run, consumer));
    }

private:
    [[nodiscard]] AppRunner& runner_of(const AppRun& run) const noexcept {
        return run.app->app.mode == dsl::AppMode::workflow ? runners_.workflow
                                                           : runners_.advanced_chat;
    }

    static Result<GenerateResult> conclude(AppRun& run, Result<engine::RunResult> result) {
        if (!result) {
            return failure(std::move(result).error());
        }
        GenerateResult generated;
        if (result->snapshot) {
            // A resumed run goes on being a child of the run's first span.
            generated.paused = std::make_shared<const PausedRun>(PausedRun{
                run.app->app.file,
                run.app->source,
                run.trace.empty() ? trace_headers() : std::move(run.trace),
                result->snapshot
            });
        }
        generated.info = std::move(run.info);
        generated.run = *std::move(result);
        return generated;
    }

    [[nodiscard]] static Result<AppRun> prepare(const ResumeRequest& request) {
        const auto& snapshot = *request.paused.run;
        if (auto checked = engine::check_snapshot(snapshot, *request.app->graph); !checked) {
            return failure(std::move(checked).error());
        }
        AppRun run;
        run.app = request.app;
        run.info = {request.paused.run, &snapshot.info};
        run.control = request.control;
        run.trace = request.paused.trace;
        run.keeper = request.keeper;
        run.resume_from = request.paused.run;
        run.answers = request.answers;
        return run;
    }

    [[nodiscard]] Result<AppRun> prepare(const GenerateRequest& request) const {
        const auto& app = request.app->app;
        const bool is_chat = app.mode == dsl::AppMode::advanced_chat;
        if (app.mode != dsl::AppMode::workflow && !is_chat) {
            return failure(
                ErrorCode::unsupported,
                "apps of mode `" + std::string(dsl::to_string(app.mode)) +
                    "` cannot be run yet; workflow and advanced-chat can"
            );
        }
        if (request.call_depth >= kCallDepthMax) {
            return failure(
                ErrorCode::limit_exceeded,
                "Max workflow call depth " + std::to_string(kCallDepthMax) + " reached."
            );
        }
        if (is_chat && request.query.empty()) {
            return failure(
                Error(ErrorCode::invalid_input, "query is required").with_type("ValueError")
            );
        }
        AppRun run;
        FLOWSPAN_TRY(run.inputs, validate_inputs(app.graph, request.inputs));
        FLOWSPAN_TRY(run.files, take_uploads(app.features, request.files));
        run.app = request.app;
        run.query = request.query;
        run.control = request.control;
        run.keeper = request.keeper;
        if (run.keeper != nullptr) {
            run.trace = trace_headers();
        }
        run.info = std::make_shared<const engine::RunInfo>(describe(request, is_chat));
        return run;
    }

    [[nodiscard]] engine::RunInfo describe(const GenerateRequest& request, bool is_chat) const {
        const auto& app = request.app->app;
        engine::RunInfo info;
        info.run_id = make_uuid(random_);
        info.task_id = make_uuid(random_);
        info.app_id = app.id;
        info.app_name = app.name;
        info.app_mode = dsl::to_string(app.mode);
        info.workflow_id = app.id;
        info.user_id = request.user;
        info.invoke_from = request.invoke_from;
        info.call_depth = request.call_depth;
        if (is_chat) {
            info.conversation_id =
                request.conversation_id.empty() ? make_uuid(random_) : request.conversation_id;
        }
        return info;
    }

    Runners runners_;
    Random& random_;
};

}  // namespace

bool is_external_trace_id(std::string_view text) noexcept {
    constexpr std::size_t kLengthMax = 128;
    return !text.empty() && text.size() <= kLengthMax && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

std::unique_ptr<AppGenerateService> make_app_generate_service(Runners runners, Random& random) {
    return std::make_unique<GenerateService>(runners, random);
}

}  // namespace flowspan::service
