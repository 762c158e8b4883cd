// A node's way through its attempts: hooks, body, retries. One of the few files that may catch.
#include "engine/node_execution.hpp"
#include "engine/run_state.hpp"
#include "flowspan/value/limits.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace flowspan::engine {

namespace {

Error cancelled_error() {
    return Error(ErrorCode::unavailable, "the node was cancelled").with_type("cancelled");
}

Error paused_error() {
    return Error(ErrorCode::unavailable, "the run was paused").with_type("paused");
}

// A container that has begun its rounds goes on with them; any other node begins anew.
bool goes_on(const GraphNode& node, const PendingNode* from) {
    return from != nullptr && node.traits.shape == NodeShape::container && !from->state.empty();
}

/// An output that is too large to be kept makes the node fail.
std::optional<Error> find_oversized(const NodeOutcome& outcome) {
    for (const auto& output : outcome.outputs) {
        if (auto checked = value::check_limits(output.value.json()); !checked) {
            auto error = std::move(checked).error();
            error.message = fmt::format("output `{}`: {}", output.name, error.message);
            return error;
        }
    }
    return std::nullopt;
}

NodeRun describe_node(const Graph& graph, const Frame& frame, NodeIndex index) {
    const auto& node = graph.node(index);
    NodeRun run;
    run.node_id = node.id;
    run.node_type = node.type;
    run.title = node.title;
    run.version = node.version;
    run.start_facts = node.node == nullptr ? nullptr : node.node->start_facts();
    run.is_hidden = node.traits.is_hidden;
    run.container = &frame.position;
    run.attempts_max = 1 + node.retry.retries_max;
    for (const auto edge : node.incoming) {
        if (frame.states.edge(edge) == Decision::taken) {
            run.predecessors.push_back(graph.node(graph.edge(edge).source).id);
        }
    }
    return run;
}

}  // namespace

Task<void> RunState::run_body(const Node& node, NodeContext& context, Attempt& attempt) {
    auto& result = attempt.result;
    try {
        result = co_await node.execute(context);
        if (auto oversized = result ? find_oversized(*result) : std::nullopt) {
            result = failure(*std::move(oversized));
        }
    } catch (const std::exception& error) {
        attempt.is_cancelled = async::is_cancelled(error);
        result = failure(
            attempt.is_cancelled
                ? cancelled_error()
                : Error(ErrorCode::internal, error.what()).with_type("WorkflowNodeError")
        );
    } catch (...) {
        result =
            failure(Error(ErrorCode::internal, "unknown exception").with_type("WorkflowNodeError"));
    }
}

// Apart from the coroutine, so that a result does not wait in its frame while the body runs.
bool RunState::finish_attempt(
    Frame& frame, ActiveNode& active, NodeRun& run, NodeRecord&& record, Attempt& attempt
) {
    const auto index = active.index();
    auto& outcome = attempt.result;
    NodeResult result;
    result.finished_at = clock_.steady_now();
    active.keeper = nullptr;
    if (attempt.is_cancelled && status_ == RunStatus::paused) {
        outcome = failure(paused_error());
    }
    layers_.on_node_run_end(*this, run, outcome ? nullptr : &outcome.error());
    if (attempt.is_cancelled) {
        async::throw_cancelled();
    }
    result.record = std::move(record);
    add_usage(frame, result.record.facts);
    if (outcome) {
        active.leave();
        if (outcome->pause) {
            suspend(frame, run, result, *outcome->pause);
            return false;
        }
        result.status = NodeStatus::succeeded;
        result.outputs = std::move(outcome->outputs);
        result.edge_handle = std::move(outcome->edge_handle);
        finish_node(frame, index, run, result);
        return false;
    }
    ++exceptions_count_;
    result.status = NodeStatus::failed;
    result.error = std::move(outcome).error();
    if (run.attempt + 1 >= run.attempts_max) {
        active.leave();
        fail_node(frame, index, run, result);
        return false;
    }
    result.status = NodeStatus::retry;
    ++run.attempt;
    emit(NodeRunRetry{&run, run.attempt, graph().node(index).retry.interval, &result});
    return true;
}

NodeRun RunState::begin_run(
    const Frame& frame, NodeIndex index, SteadyTime ready_at, const PendingNode* from
) {
    NodeRun run = describe_node(graph(), frame, index);
    const bool has_begun_before = from != nullptr && !from->execution_id.empty();
    run.execution_id = has_begun_before ? from->execution_id : make_uuid(random_);
    run.index = has_begun_before ? from->index : ++node_index_;
    run.ready_at = ready_at;
    return run;
}

/// Calls the end hook of an attempt whose body was never entered.
class RunState::AttemptScope {
public:
    AttemptScope(RunState& state, const NodeRun& run) : state_(state), run_(run) {}

    ~AttemptScope() {
        if (is_open_) {
            const auto error =
                state_.status_ == RunStatus::paused ? paused_error() : cancelled_error();
            state_.layers_.on_node_run_end(state_, run_, &error);
        }
    }

    AttemptScope(const AttemptScope&) = delete;
    AttemptScope& operator=(const AttemptScope&) = delete;

    void leave() noexcept { is_open_ = false; }

private:
    RunState& state_;
    const NodeRun& run_;
    bool is_open_ = true;
};

Task<void> RunState::execute_node(
    RunState* state, Frame* frame, NodeIndex index, SteadyTime ready_at
) {
    const auto* from = frame->dequeue(index);
    if (state->is_held_back_) {
        state->defer(*frame, index, from);
        state->finish_task(*frame);
        co_return;
    }
    const auto& node = state->graph().node(index);
    NodeRun run = state->begin_run(*frame, index, ready_at, from);
    ActiveNode active(*frame, index, run, from);
    while (true) {
        run.started_at = state->clock_.steady_now();
        run.started_at_utc = state->clock_.system_now();
        ++state->steps_;
        NodeExecution execution(*state, *frame, active);
        state->layers_.on_node_run_start(*state, run);
        if (run.attempt == 0 && !run.is_hidden && !goes_on(node, from)) {
            state->emit(NodeRunStarted{&run});
        }
        Attempt attempt;
        AttemptScope scope(*state, run);
        // A task that is cancelled already does not even enter the body.
        co_await run_body(*node.node, execution, attempt);
        scope.leave();
        if (!state->finish_attempt(*frame, active, run, std::move(execution.record()), attempt)) {
            state->finish_task(*frame);
            co_return;
        }
        // Only this node's task waits; the rest of the run goes on.
        co_await async::sleep(node.retry.interval);
    }
}

}  // namespace flowspan::engine
