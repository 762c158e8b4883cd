// The observability layer under an engine of one's own: call its hooks where things happen.

#include <flowspan/async/runtime.hpp>
#include <flowspan/async/task_group.hpp>
#include <flowspan/engine/layer.hpp>
#include <flowspan/export/provider.hpp>
#include <flowspan/observe/observability_layer.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using flowspan::Task;
namespace engine = flowspan::engine;

namespace {

// How this program's engine shows a run to the layer.
class Run final : public engine::RunView {
public:
    explicit Run(std::string name) {
        info_.app_name = std::move(name);
        info_.run_id = "run-1";
    }

    const engine::RunInfo& info() const noexcept override { return info_; }

    const flowspan::value::VariablePool& variables() const noexcept override { return variables_; }

    std::int64_t step_count() const noexcept override { return steps; }

    std::int64_t total_tokens() const noexcept override { return 0; }

    double total_price() const noexcept override { return 0; }

    flowspan::SteadyTime started_at() const noexcept override { return started_at_; }

    engine::RunStatus status() const noexcept override { return engine::RunStatus::succeeded; }

    void request_abort(std::string /*reason*/) override {}

    std::shared_ptr<void>& slot(const engine::Layer& /*layer*/) override { return slot_; }

    std::int64_t steps = 0;

private:
    engine::RunInfo info_;
    flowspan::value::VariablePool variables_;
    flowspan::SteadyTime started_at_ = std::chrono::steady_clock::now();
    std::shared_ptr<void> slot_;
};

// One step of the program's own flow. Hooks are called in the step's task, around its body.
Task<void> step(engine::Layer* layer, Run* run, std::string id, bool should_fail) {
    const engine::ContainerPosition top;
    engine::NodeRun node;
    node.node_id = id;
    node.node_type = id;
    node.title = "A step of ours";
    node.execution_id = "execution-" + id;
    node.container = &top;
    node.ready_at = std::chrono::steady_clock::now();
    node.started_at = node.ready_at;
    node.started_at_utc = std::chrono::system_clock::now();
    ++run->steps;
    layer->on_node_run_start(*run, node);
    {
        auto inner = flowspan::trace::tracer().StartSpan("work of " + id);
        co_await flowspan::async::sleep(2ms);
        inner->End();
    }
    engine::NodeResult result;
    result.status = engine::NodeStatus::succeeded;
    if (should_fail) {
        result.status = engine::NodeStatus::failed;
        result.error = flowspan::Error(flowspan::ErrorCode::execution_failed, "it broke");
    }
    layer->on_node_run_end(*run, node, result.error ? &*result.error : nullptr);
    if (should_fail) {
        layer->on_event(*run, engine::NodeRunFailed{&node, &result});
    } else {
        layer->on_event(*run, engine::NodeRunSucceeded{&node, &result});
    }
}

Task<void> run_flow(engine::Layer* layer) {
    Run run("our flow");
    layer->on_graph_start(run);
    {
        flowspan::async::TaskGroup group(co_await flowspan::async::this_executor());
        group.spawn(step, layer, &run, std::string("left"), false);
        group.spawn(step, layer, &run, std::string("right"), true);
        co_await group.join();
    }
    layer->on_graph_end(run, nullptr);
}

}  // namespace

int main() {
    auto telemetry = flowspan::exporting::Telemetry::start(
        flowspan::exporting::TelemetryConfig::from_environment()
    );
    if (!telemetry) {
        return 2;
    }
    const flowspan::trace::CapturePolicy policy;
    flowspan::observe::ObservabilityLayer layer(policy);
    flowspan::async::Runtime runtime;
    runtime.block_on(run_flow, static_cast<engine::Layer*>(&layer));
    return (*telemetry)->shutdown().lost == 0 ? 0 : 1;
}
