#include "service/graph_run.hpp"

#include <chrono>
#include <utility>

namespace flowspan::service {

namespace {

class WorkflowAppRunner final : public AppRunner {
public:
    explicit WorkflowAppRunner(RunnerServices services) : services_(std::move(services)) {}

    Task<Result<engine::RunResult>> run(const AppRun& run, engine::EventSink& consumer) override {
        auto variables = make_variables(run);
        if (run.resume_from) {
            return run_graph(services_, run, std::move(variables), consumer);
        }
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(
            services_.clock.system_now().time_since_epoch()
        );
        variables.set(value::kSystemPrefix, "timestamp", value::Value::integer(now.count()));
        return run_graph(services_, run, std::move(variables), consumer);
    }

private:
    RunnerServices services_;
};

}  // namespace

std::unique_ptr<AppRunner> make_workflow_app_runner(RunnerServices services) {
    return std::make_unique<WorkflowAppRunner>(std::move(services));
}

}  // namespace flowspan::service
