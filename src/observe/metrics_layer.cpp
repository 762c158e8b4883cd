#include "observe/metrics_layer.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/trace/names.hpp"

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace flowspan::observe {

namespace names = trace::names;

namespace {

struct RunMeter {
    /// Start of the first attempt, of nodes that were tried again; by execution id.
    std::map<std::string, SteadyTime, std::less<>> first_starts;
    bool has_text = false;
};

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

std::string_view type_of(const Error& error) {
    return error.type.empty() ? to_string(error.code) : std::string_view(error.type);
}

RunMeter* find_meter(engine::RunView& run, const engine::Layer& layer) {
    return static_cast<RunMeter*>(run.slot(layer).get());
}

}  // namespace

void MetricsLayer::on_graph_start(engine::RunView& run) {
    run.slot(*this) = std::make_shared<RunMeter>();
    instruments_.runs_active.record(1, {{names::kDifyAppMode, run.info().app_mode}});
}

void MetricsLayer::count_usage(const engine::RunView& run, const engine::NodeResult& result) {
    const auto* facts = std::get_if<engine::ModelFacts>(&result.record.facts);
    if (facts == nullptr) {
        return;
    }
    const std::string_view mode = run.info().app_mode;
    const auto add = [&](std::string_view type, std::int64_t count) {
        if (count > 0) {
            instruments_.tokens.record(
                static_cast<double>(count),
                {{names::kDifyAppMode, mode},
                 {names::kGenAiRequestModel, facts->model},
                 {names::kGenAiTokenType, type}}
            );
        }
    };
    add("input", facts->prompt_tokens);
    add("output", facts->completion_tokens);
    if (facts->total_price > 0) {
        instruments_.cost.record(
            facts->total_price,
            {{names::kDifyAppMode, mode},
             {names::kGenAiRequestModel, facts->model},
             {names::kFlowspanCurrency, facts->currency}}
        );
    }
}

void MetricsLayer::count_node(const engine::NodeRun& node, const engine::NodeResult& result) {
    std::vector<trace::Label> labels = {
        {names::kNodeType, node.node_type},
        {names::kDifyNodeStatus, engine::to_string(result.status)},
    };
    if (result.error) {
        labels.push_back({names::kErrorType, type_of(*result.error)});
    }
    instruments_.node_duration.record(seconds(result.finished_at - node.started_at), labels);
    if (node.attempt == 0) {
        instruments_.node_ready_delay.record(
            seconds(node.started_at - node.ready_at), {{names::kNodeType, node.node_type}}
        );
    }
}

void MetricsLayer::count_chunk(engine::RunView& run, const engine::NodeRunStreamChunk& chunk) {
    auto* meter = find_meter(run, *this);
    if (meter == nullptr || meter->has_text || chunk.chunk.empty()) {
        return;
    }
    meter->has_text = true;
    instruments_.run_first_chunk.record(
        seconds(clock_.steady_now() - run.started_at()),
        {{names::kDifyAppMode, run.info().app_mode}}
    );
}

void MetricsLayer::on_event(engine::RunView& run, const engine::Event& event) {
    const auto take_result = [&](const engine::NodeRun& node, const engine::NodeResult& result) {
        count_usage(run, result);
        auto* meter = find_meter(run, *this);
        const auto first = meter == nullptr ? decltype(meter->first_starts)::iterator()
                                            : meter->first_starts.find(node.execution_id);
        if (meter == nullptr || first == meter->first_starts.end()) {
            count_node(node, result);
            return;
        }
        auto whole = node;
        whole.started_at = first->second;
        meter->first_starts.erase(first);
        count_node(whole, result);
    };
    if (const auto* chunk = std::get_if<engine::NodeRunStreamChunk>(&event)) {
        count_chunk(run, *chunk);
    } else if (const auto* succeeded = std::get_if<engine::NodeRunSucceeded>(&event)) {
        take_result(*succeeded->node, *succeeded->result);
    } else if (const auto* failed = std::get_if<engine::NodeRunFailed>(&event)) {
        take_result(*failed->node, *failed->result);
    } else if (const auto* handled = std::get_if<engine::NodeRunException>(&event)) {
        take_result(*handled->node, *handled->result);
    } else if (const auto* retry = std::get_if<engine::NodeRunRetry>(&event)) {
        count_usage(run, *retry->result);
        if (auto* meter = find_meter(run, *this)) {
            meter->first_starts.try_emplace(retry->node->execution_id, retry->node->started_at);
        }
        instruments_.node_retries.record(
            1,
            {{names::kNodeType, retry->node->node_type},
             {names::kErrorType, type_of(*retry->result->error)}}
        );
    }
}

void MetricsLayer::on_graph_end(engine::RunView& run, const Error* error) {
    if (find_meter(run, *this) == nullptr) {
        return;
    }
    const auto& info = run.info();
    instruments_.runs_active.record(-1, {{names::kDifyAppMode, info.app_mode}});
    const auto status = engine::to_string(run.status());
    instruments_.runs.record(
        1,
        {{names::kDifyAppMode, info.app_mode},
         {names::kDifyInvokeFrom, info.invoke_from},
         {names::kDifyWorkflowStatus, status}}
    );
    std::vector<trace::Label> labels = {
        {names::kGenAiWorkflowName, info.app_name},
        {names::kDifyWorkflowStatus, status},
    };
    if (error != nullptr) {
        labels.push_back({names::kErrorType, type_of(*error)});
    }
    instruments_.workflow_duration.record(seconds(clock_.steady_now() - run.started_at()), labels);
    run.slot(*this).reset();
}

}  // namespace flowspan::observe
