#include "service/app_generate_service.hpp"

#include "service/input_file.hpp"
#include "service/input_form.hpp"

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
        auto& runner = request.app->app.mode == dsl::AppMode::workflow ? runners_.workflow
                                                                       : runners_.advanced_chat;
        co_return conclude(*run, co_await runner.run(*run, consumer));
    }

private:
    static Result<GenerateResult> conclude(AppRun& run, Result<engine::RunResult> result) {
        if (!result) {
            return failure(std::move(result).error());
        }
        return GenerateResult{std::move(run.info), *std::move(result)};
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
        for (const auto& file : request.files) {
            if (file.is_object()) {
                FLOWSPAN_TRY(auto record, make_file_record(file.get_object()));
                run.files.push_back(std::move(record));
            }
        }
        run.app = request.app;
        run.query = request.query;
        run.control = request.control;
        run.info = describe(request, is_chat);
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

std::unique_ptr<AppGenerateService> make_app_generate_service(Runners runners, Random& random) {
    return std::make_unique<GenerateService>(runners, random);
}

}  // namespace flowspan::service
