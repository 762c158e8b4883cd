#include "service/graph_run.hpp"

#include <utility>

namespace flowspan::service {

namespace {

class AdvancedChatAppRunner final : public AppRunner {
public:
    explicit AdvancedChatAppRunner(RunnerServices services) : services_(std::move(services)) {}

    Task<Result<engine::RunResult>> run(const AppRun& run, engine::EventSink& consumer) override {
        auto variables = make_variables(run);
        if (run.resume_from) {
            return run_graph(services_, run, std::move(variables), consumer);
        }
        variables.set(value::kSystemPrefix, "query", value::Value::string(run.query));
        variables.set(
            value::kSystemPrefix, "dialogue_count", value::Value::integer(run.dialogue_count)
        );
        variables.set(
            value::kSystemPrefix, "conversation_id", value::Value::string(run.info->conversation_id)
        );
        for (const auto& variable : run.app->app.conversation_variables) {
            variables.set(value::kConversationPrefix, variable.name, variable.value);
        }
        return run_graph(services_, run, std::move(variables), consumer);
    }

private:
    RunnerServices services_;
};

}  // namespace

std::unique_ptr<AppRunner> make_advanced_chat_app_runner(RunnerServices services) {
    return std::make_unique<AdvancedChatAppRunner>(std::move(services));
}

}  // namespace flowspan::service
