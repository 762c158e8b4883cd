#include "engine/run_state.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::engine {

void add(ModelFacts& total, const ModelFacts& more) {
    total.prompt_tokens += more.prompt_tokens;
    total.completion_tokens += more.completion_tokens;
    total.total_price += more.total_price;
    if (!more.currency.empty()) {
        total.currency = more.currency;
    }
}

RunState::RunState(RunRequest request, const Clock& clock, Random& random)
    : request_(std::move(request)), clock_(clock), random_(random) {
    if (const auto* snapshot = request_.resume_from.get()) {
        request_.info = {request_.resume_from, &snapshot->info};
        steps_ = snapshot->steps;
        node_index_ = snapshot->node_index;
        exceptions_count_ = snapshot->exceptions_count;
        usage_ = snapshot->usage;
    } else if (!request_.info) {
        request_.info = std::make_shared<const RunInfo>();
    }
}

void RunState::emit(const Event& event) {
    layers_.on_event(*this, event);
    stream_->on_event(event);
}

void RunState::request_abort(std::string reason) {
    if (abort_reason_ || error_ || status_ != RunStatus::running) {
        return;
    }
    abort_reason_ = "Aborted: " + std::move(reason);
    if (root_) {
        root_->tasks.cancel();
    }
}

void RunState::fail_frame(Frame& frame, const Error& error) {
    if (!frame.error) {
        frame.error = error;
    }
    // A round's failure is its container's business; the run itself stops at once.
    if (&frame == &*root_ && !error_ && !abort_reason_) {
        error_ = std::make_unique<Error>(error);
        root_->tasks.cancel();
    }
}

void RunState::skip_unused_roots(Frame& frame) {
    const auto& nodes = graph().nodes();
    if (graph().node(graph().root()).traits.shape != NodeShape::root) {
        return;
    }
    for (NodeIndex index = 0; index < nodes.size(); ++index) {
        if (index != graph().root() && nodes[index].traits.shape == NodeShape::root &&
            nodes[index].container == kNoNode && !nodes[index].traits.is_hidden) {
            // Nothing runs yet, so nothing can become ready and nobody needs to hear of it.
            static_cast<void>(frame.states.skip_root(index));
        }
    }
}

void RunState::start_node(Frame& frame, NodeIndex index, const PendingNode* from) {
    ++busy_count_;
    frame.queued.push_back({index, from});
    frame.tasks.spawn(execute_node, this, &frame, index, clock_.steady_now());
}

void RunState::store_outputs(Frame& frame, NodeIndex index, const NodeResult& result) {
    const auto& id = graph().node(index).id;
    for (const auto& output : result.outputs) {
        frame.variables->set(id, output.name, output.value);
    }
}

void RunState::add_usage(Frame& frame, const NodeFacts& facts) {
    if (const auto* model = std::get_if<ModelFacts>(&facts)) {
        add(frame.usage, *model);
        add(usage_, *model);
    }
}

void RunState::merge_response(Frame& frame, const GraphNode& node, const NodeResult& result) {
    if (node.traits.shape != NodeShape::response) {
        return;
    }
    for (const auto& output : result.outputs) {
        auto& merged = frame.outputs[output.name];
        if (output.name == "answer" && merged.is_string() && output.value.json().is_string()) {
            merged.get_string().append(output.value.json().get_string());
        } else {
            merged = output.value.json();
        }
    }
}

bool RunState::advance(Frame& frame, NodeIndex index, NodeResult& result) {
    const auto& node = graph().node(index);
    const bool chooses = node.is_branch();
    if (chooses && result.edge_handle.empty()) {
        result.error = Error(
            ErrorCode::internal, "Branch node " + node.id + " completed without selecting a branch"
        );
        return false;
    }
    const auto changes = frame.states.complete(index, chooses ? &result.edge_handle : nullptr);
    for (const auto& change : changes.edges) {
        const auto& edge = graph().edge(change.edge);
        emit(GraphEdgeDecided{
            change.is_taken,
            edge.id,
            graph().node(edge.source).id,
            graph().node(edge.target).id,
            edge.handle
        });
    }
    for (const auto ready : changes.ready) {
        start_node(frame, ready);
    }
    return true;
}

void RunState::finish_node(Frame& frame, NodeIndex index, const NodeRun& run, NodeResult& result) {
    const auto& node = graph().node(index);
    store_outputs(frame, index, result);
    if (!advance(frame, index, result)) {
        fail_frame(frame, *result.error);
        return;
    }
    merge_response(frame, node, result);
    frame.has_reached_loop_end |= node.type == "loop-end";
    if (run.is_hidden) {
        return;
    }
    if (result.status == NodeStatus::exception) {
        emit(NodeRunException{&run, &result});
    } else {
        emit(NodeRunSucceeded{&run, &result});
    }
}

void RunState::handle_by_strategy(const GraphNode& node, NodeResult& result) const {
    result.status = NodeStatus::exception;
    if (node.error_strategy == ErrorStrategy::default_value) {
        result.outputs = node.default_values;
        result.error_strategy = "default-value";
        if (node.traits.shape == NodeShape::branch) {
            result.edge_handle.clear();  // a branch node has no default branch
        }
    } else {
        result.error_strategy = "fail-branch";
        result.edge_handle = "fail-branch";
    }
    result.record.metadata["error_strategy"] = result.error_strategy;
    result.outputs.push_back({"error_message", value::Value::string(result.error->full_text())});
    result.outputs.push_back({"error_type", value::Value::string(result.error->type)});
}

void RunState::fail_node(Frame& frame, NodeIndex index, const NodeRun& run, NodeResult& result) {
    const auto& node = graph().node(index);
    if (node.error_strategy != ErrorStrategy::none) {
        handle_by_strategy(node, result);
        finish_node(frame, index, run, result);
        return;
    }
    emit(NodeRunFailed{&run, &result});
    fail_frame(frame, *result.error);
}

RunResult RunState::conclude() {
    RunResult result;
    result.exceptions_count = exceptions_count_;
    result.total_tokens = usage_.total_tokens();
    result.total_price = usage_.total_price;
    result.currency = usage_.currency;
    result.steps = steps_;
    result.elapsed = elapsed_before() + (clock_.steady_now() - started_at_);
    if (status_ == RunStatus::paused) {
        result.snapshot = snapshot_;
    } else if (abort_reason_) {
        status_ = RunStatus::stopped;
        error_ = std::make_unique<Error>(
            Error(ErrorCode::unavailable, *abort_reason_).with_type("cancelled")
        );
    } else if (error_) {
        status_ = RunStatus::failed;
    } else {
        status_ = exceptions_count_ > 0 ? RunStatus::partial_succeeded : RunStatus::succeeded;
    }
    stream_->finish();
    // A chat answer is exactly what was streamed.
    if (stream_->has_answer() && root_->outputs.contains("answer")) {
        root_->outputs["answer"] = stream_->answer();
    }
    result.status = status_;
    result.outputs = root_->outputs;
    if (error_) {
        result.error = *error_;
    }
    const auto* outputs = &root_->outputs;
    switch (status_) {
        case RunStatus::stopped:
            emit(GraphRunAborted{*abort_reason_, outputs});
            break;
        case RunStatus::failed:
            emit(GraphRunFailed{error_.get(), exceptions_count_});
            break;
        case RunStatus::partial_succeeded:
            emit(GraphRunPartialSucceeded{outputs, exceptions_count_});
            break;
        case RunStatus::paused:
            emit(GraphRunPaused{&snapshot_->pause_reasons, outputs});
            break;
        default:
            emit(GraphRunSucceeded{outputs});
            break;
    }
    return result;
}

}  // namespace flowspan::engine
