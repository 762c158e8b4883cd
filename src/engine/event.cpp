#include "flowspan/engine/event.hpp"

#include <utility>

namespace flowspan::engine {

namespace {

json::object graph_event(std::string_view name) {
    return {{"event", name}};
}

json::object node_event(std::string_view name, const NodeRun& node) {
    json::object object{
        {"event", name},
        {"id", node.execution_id},
        {"node_id", node.node_id},
        {"node_type", node.node_type},
        {"node_title", node.title},
        {"node_version", node.version},
        {"in_iteration_id", nullptr},
        {"in_loop_id", nullptr},
    };
    if (!node.container->iteration_id.empty()) {
        object["in_iteration_id"] = node.container->iteration_id;
        object["iteration_index"] = node.container->iteration_index;
    }
    if (!node.container->loop_id.empty()) {
        object["in_loop_id"] = node.container->loop_id;
        object["loop_index"] = node.container->loop_index;
    }
    return object;
}

json::value predecessor_of(const NodeRun& node) {
    return node.predecessors.size() == 1 ? json::value(node.predecessors.front()) : json::value();
}

/// What a started event has, and a retry, which announces a start too.
void add_start(json::object& object, const NodeRun& node) {
    object["start_at"] = to_iso8601(node.started_at_utc);
    object["predecessor_node_id"] = predecessor_of(node);
    object["extras"] = json::object();
    object["provider_type"] = "";
    object["provider_id"] = "";
    if (node.start_facts != nullptr) {
        for (const auto& fact : *node.start_facts) {
            object[fact.key()] = fact.value();
        }
    }
}

/// A child of containers says in its metadata, too, which round it belongs to.
json::object metadata_of(const NodeRun& node, const NodeResult& result) {
    auto metadata = result.record.metadata;
    if (const auto& in = *node.container; !in.iteration_id.empty()) {
        metadata["iteration_id"] = in.iteration_id;
        metadata["iteration_index"] = in.iteration_index;
    }
    if (const auto& in = *node.container; !in.loop_id.empty()) {
        metadata["loop_id"] = in.loop_id;
        metadata["loop_index"] = in.loop_index;
    }
    return metadata;
}

json::object usage_of(const NodeFacts& facts) {
    static const ModelFacts kNone;
    const auto* found = std::get_if<ModelFacts>(&facts);
    const auto& usage = found == nullptr ? kNone : *found;
    return {
        {"prompt_tokens", usage.prompt_tokens},
        {"completion_tokens", usage.completion_tokens},
        {"total_tokens", usage.total_tokens()},
        {"total_price", usage.total_price},
        {"currency", usage.currency},
    };
}

json::object outputs_of(const NodeResult& result) {
    json::object outputs;
    for (const auto& output : result.outputs) {
        outputs[output.name] = output.value.json();
    }
    return outputs;
}

json::object result_event(std::string_view name, const NodeRun& node, const NodeResult& result) {
    auto object = node_event(name, node);
    object["status"] = to_string(result.status);
    object["inputs"] = result.record.inputs;
    object["process_data"] = result.record.process_data;
    object["outputs"] = outputs_of(result);
    object["metadata"] = metadata_of(node, result);
    object["llm_usage"] = usage_of(result.record.facts);
    const auto took = result.finished_at - node.started_at;
    object["start_at"] = to_iso8601(node.started_at_utc);
    object["finished_at"] =
        to_iso8601(node.started_at_utc + std::chrono::duration_cast<SystemTime::duration>(took));
    object["elapsed_ms"] = std::chrono::duration<double, std::milli>(took).count();
    object["edge_source_handle"] = result.edge_handle;
    object["retry_index"] = node.attempt;
    if (result.error) {
        object["error"] = result.error->full_text();
        object["error_type"] = result.error->type;
    }
    return object;
}

std::string_view container_event_name(const NodeRunContainer& event) {
    const bool is_loop = event.node->node_type == "loop";
    switch (event.event) {
        case ContainerEvent::started:
            return is_loop ? "node_run_loop_started" : "node_run_iteration_started";
        case ContainerEvent::next:
            return is_loop ? "node_run_loop_next" : "node_run_iteration_next";
        case ContainerEvent::succeeded:
            return is_loop ? "node_run_loop_succeeded" : "node_run_iteration_succeeded";
        case ContainerEvent::failed:
            return is_loop ? "node_run_loop_failed" : "node_run_iteration_failed";
    }
    return "";
}

struct Name {
    std::string_view operator()(const GraphRunStarted&) const { return "graph_run_started"; }

    std::string_view operator()(const GraphRunSucceeded&) const { return "graph_run_succeeded"; }

    std::string_view operator()(const GraphRunPartialSucceeded&) const {
        return "graph_run_partial_succeeded";
    }

    std::string_view operator()(const GraphRunFailed&) const { return "graph_run_failed"; }

    std::string_view operator()(const GraphRunAborted&) const { return "graph_run_aborted"; }

    std::string_view operator()(const GraphRunPaused&) const { return "graph_run_paused"; }

    std::string_view operator()(const GraphEdgeDecided& event) const {
        return event.is_taken ? "graph_edge_taken" : "graph_edge_skipped";
    }

    std::string_view operator()(const NodeRunStarted&) const { return "node_run_started"; }

    std::string_view operator()(const NodeRunStreamChunk&) const { return "node_run_stream_chunk"; }

    std::string_view operator()(const NodeRunReasoningChunk&) const {
        return "node_run_reasoning_chunk";
    }

    std::string_view operator()(const NodeRunRetrieverResource&) const {
        return "node_run_retriever_resource";
    }

    std::string_view operator()(const NodeRunAgentLog&) const { return "node_run_agent_log"; }

    std::string_view operator()(const NodeRunVariableUpdated&) const {
        return "node_run_variable_updated";
    }

    std::string_view operator()(const NodeRunWarning&) const { return "node_run_warning"; }

    std::string_view operator()(const NodeRunRetry&) const { return "node_run_retry"; }

    std::string_view operator()(const NodeRunSucceeded&) const { return "node_run_succeeded"; }

    std::string_view operator()(const NodeRunFailed&) const { return "node_run_failed"; }

    std::string_view operator()(const NodeRunException&) const { return "node_run_exception"; }

    std::string_view operator()(const NodeRunPauseRequested&) const {
        return "node_run_pause_requested";
    }

    std::string_view operator()(const NodeRunHumanInputFormFilled&) const {
        return "node_run_human_input_form_filled";
    }

    std::string_view operator()(const NodeRunHumanInputFormTimeout&) const {
        return "node_run_human_input_form_timeout";
    }

    std::string_view operator()(const NodeRunContainer& event) const {
        return container_event_name(event);
    }

    std::string_view operator()(const FrameStarted&) const { return "frame_started"; }

    std::string_view operator()(const FrameEnded&) const { return "frame_ended"; }
};

struct ToJson {
    std::string_view name;
    using Object = std::optional<json::object>;

    Object operator()(const GraphRunStarted& event) const {
        auto object = graph_event(name);
        object["reason"] = event.is_resumption ? "resumption" : "initial";
        return object;
    }

    Object operator()(const GraphRunSucceeded& event) const {
        auto object = graph_event(name);
        object["outputs"] = *event.outputs;
        return object;
    }

    Object operator()(const GraphRunPartialSucceeded& event) const {
        auto object = graph_event(name);
        object["exceptions_count"] = event.exceptions_count;
        object["outputs"] = *event.outputs;
        return object;
    }

    Object operator()(const GraphRunFailed& event) const {
        auto object = graph_event(name);
        object["error"] = event.error->full_text();
        object["exceptions_count"] = event.exceptions_count;
        return object;
    }

    Object operator()(const GraphRunAborted& event) const {
        auto object = graph_event(name);
        object["reason"] = event.reason;
        object["outputs"] = *event.outputs;
        return object;
    }

    Object operator()(const GraphRunPaused& event) const {
        auto object = graph_event(name);
        object["reasons"] = *event.reasons;
        object["outputs"] = *event.outputs;
        return object;
    }

    Object operator()(const GraphEdgeDecided& event) const {
        auto object = graph_event(name);
        object["edge_id"] = event.edge_id;
        object["source_node_id"] = event.source_node_id;
        object["target_node_id"] = event.target_node_id;
        object["source_handle"] = event.source_handle;
        return object;
    }

    Object operator()(const NodeRunStarted& event) const {
        auto object = node_event(name, *event.node);
        add_start(object, *event.node);
        return object;
    }

    Object operator()(const NodeRunStreamChunk& event) const {
        auto object = event.node == nullptr ? graph_event(name) : node_event(name, *event.node);
        object["id"] = event.execution_id;
        object["node_id"] = event.node_id;
        object["selector"] = json::array{event.node_id, event.name};
        object["chunk"] = event.chunk;
        object["is_final"] = event.is_final;
        return object;
    }

    Object operator()(const NodeRunReasoningChunk& event) const {
        auto object = node_event(name, *event.node);
        object["selector"] = json::array{event.node->node_id, "reasoning_content"};
        object["chunk"] = event.chunk;
        object["is_final"] = event.is_final;
        return object;
    }

    Object operator()(const NodeRunRetrieverResource& event) const {
        auto object = node_event(name, *event.node);
        object["retriever_resources"] = *event.resources;
        object["context"] = event.context;
        return object;
    }

    Object operator()(const NodeRunAgentLog& event) const {
        auto object = node_event(name, *event.node);
        for (const auto& fact : *event.log) {
            object[fact.key()] = fact.value();
        }
        object["node_execution_id"] = event.node->execution_id;
        return object;
    }

    Object operator()(const NodeRunVariableUpdated& event) const {
        auto object = node_event(name, *event.node);
        object["variable"] = json::object{
            {"selector", json::array{event.group, event.name}},
            {"value_type", value::to_string(event.value->type())},
            {"value", event.value->json()},
        };
        return object;
    }

    Object operator()(const NodeRunWarning& event) const {
        auto object = node_event(name, *event.node);
        object["code"] = event.code;
        object["message"] = event.message;
        return object;
    }

    Object operator()(const NodeRunRetry& event) const {
        auto object = result_event(name, *event.node, *event.result);
        add_start(object, *event.node);
        object["retry_index"] = event.retry_index;
        object["delay_ms"] = event.delay.count();
        return object;
    }

    Object operator()(const NodeRunSucceeded& event) const {
        return result_event(name, *event.node, *event.result);
    }

    Object operator()(const NodeRunFailed& event) const {
        return result_event(name, *event.node, *event.result);
    }

    Object operator()(const NodeRunException& event) const {
        auto object = result_event(name, *event.node, *event.result);
        object["error_strategy"] = event.result->error_strategy;
        return object;
    }

    Object operator()(const NodeRunPauseRequested& event) const {
        auto object = result_event(name, *event.node, *event.result);
        object["reason"] = *event.reason;
        return object;
    }

    Object operator()(const NodeRunHumanInputFormFilled& event) const {
        auto object = node_event(name, *event.node);
        object["rendered_content"] = event.form->rendered_content;
        object["action_id"] = event.form->action_id;
        object["action_text"] = event.form->action_text;
        object["submitted_data"] = event.form->submitted_data;
        return object;
    }

    Object operator()(const NodeRunHumanInputFormTimeout& event) const {
        auto object = node_event(name, *event.node);
        object["expiration_time"] = to_iso8601(event.expired_at);
        return object;
    }

    Object operator()(const NodeRunContainer& event) const {
        auto object = node_event(name, *event.node);
        if (event.event == ContainerEvent::next) {
            object["index"] = event.index;
            if (event.node->node_type == "iteration") {
                object["pre_iteration_output"] = nullptr;
            }
        } else {
            object["start_at"] = to_iso8601(event.node->started_at_utc);
        }
        if (event.event == ContainerEvent::started) {
            object["predecessor_node_id"] = predecessor_of(*event.node);
        }
        for (const auto& fact : *event.facts) {
            object[fact.key()] = fact.value();
        }
        return object;
    }

    Object operator()(const FrameStarted&) const { return std::nullopt; }

    Object operator()(const FrameEnded&) const { return std::nullopt; }
};

}  // namespace

std::string_view to_string(RunStatus status) noexcept {
    switch (status) {
        case RunStatus::running:
            return "running";
        case RunStatus::succeeded:
            return "succeeded";
        case RunStatus::partial_succeeded:
            return "partial-succeeded";
        case RunStatus::failed:
            return "failed";
        case RunStatus::stopped:
            return "stopped";
        case RunStatus::paused:
            return "paused";
    }
    return "";
}

std::string_view to_string(NodeStatus status) noexcept {
    switch (status) {
        case NodeStatus::running:
            return "running";
        case NodeStatus::succeeded:
            return "succeeded";
        case NodeStatus::failed:
            return "failed";
        case NodeStatus::exception:
            return "exception";
        case NodeStatus::stopped:
            return "stopped";
        case NodeStatus::paused:
            return "paused";
        case NodeStatus::retry:
            return "retry";
    }
    return "";
}

// An event always holds one of its kinds, so nothing can be thrown.
// NOLINTNEXTLINE(bugprone-exception-escape)
std::string_view event_name(const Event& event) noexcept {
    return std::visit(Name{}, event);
}

std::optional<json::object> to_json(const Event& event) {
    return std::visit(ToJson{event_name(event)}, event);
}

}  // namespace flowspan::engine
