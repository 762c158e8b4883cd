// A node's way through its attempts: hooks, body, retries. One of the few files that may catch.
#include "engine/node_execution.hpp"
#include "engine/run_state.hpp"

#include <exception>
#include <utility>

namespace flowspan::engine {

namespace {

Error cancelled_error() {
    return Error(ErrorCode::unavailable, "the node was cancelled").with_type("cancelled");
}

NodeRun describe_node(const Graph& graph, const Frame& frame, NodeIndex index) {
    const auto& node = graph.node(index);
    NodeRun run;
    run.node_id = node.id;
    run.node_type = node.type;
    run.title = node.title;
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

struct Attempt {
    std::optional<NodeOutcome> outcome;
    std::optional<Error> error;
    bool is_cancelled = false;
};

Task<Attempt> run_body(const Node& node, NodeContext& context) {
    Attempt attempt;
    std::exception_ptr exception;
    try {
        auto result = co_await node.execute(context);
        if (result) {
            attempt.outcome = *std::move(result);
        } else {
            attempt.error = std::move(result).error();
        }
    } catch (const std::exception& error) {
        attempt.is_cancelled = async::is_cancelled(error);
        attempt.error =
            attempt.is_cancelled
                ? cancelled_error()
                : Error(ErrorCode::internal, error.what()).with_type("WorkflowNodeError");
    } catch (...) {
        attempt.error =
            Error(ErrorCode::internal, "unknown exception").with_type("WorkflowNodeError");
    }
    co_return attempt;
}

}  // namespace

Task<void> RunState::execute_node(
    RunState* state, Frame* frame, NodeIndex index, SteadyTime ready_at
) {
    const auto& node = state->graph().node(index);
    NodeRun run = describe_node(state->graph(), *frame, index);
    run.execution_id = make_uuid(state->random_);
    run.index = ++state->node_index_;
    run.ready_at = ready_at;
    while (true) {
        run.started_at = state->clock_.steady_now();
        run.started_at_utc = state->clock_.system_now();
        ++state->steps_;
        NodeExecution execution(*state, *frame, index, run);
        state->layers_.on_node_run_start(*state, run);
        if (run.attempt == 0 && !run.is_hidden) {
            state->emit(NodeRunStarted{&run});
        }
        auto attempt = co_await run_body(*node.node, execution);
        NodeResult result;
        result.finished_at = state->clock_.steady_now();
        state->layers_.on_node_run_end(*state, run, attempt.error ? &*attempt.error : nullptr);
        if (attempt.is_cancelled) {
            async::throw_cancelled();
        }
        result.record = std::move(execution.record());
        state->add_usage(*frame, result.record.facts);
        if (attempt.outcome) {
            result.status = NodeStatus::succeeded;
            result.outputs = std::move(attempt.outcome->outputs);
            result.edge_handle = std::move(attempt.outcome->edge_handle);
            state->finish_node(*frame, index, run, result);
            co_return;
        }
        ++state->exceptions_count_;
        result.status = NodeStatus::failed;
        result.error = std::move(attempt.error);
        if (run.attempt + 1 >= run.attempts_max) {
            state->fail_node(*frame, index, run, result);
            co_return;
        }
        result.status = NodeStatus::retry;
        ++run.attempt;
        state->emit(NodeRunRetry{&run, run.attempt, node.retry.interval, &result});
        // Only this node's task waits; the rest of the run goes on.
        co_await async::sleep(node.retry.interval);
    }
}

}  // namespace flowspan::engine
