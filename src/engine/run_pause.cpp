// How a run comes to stand still, and what is written down of it so that it can go on.
#include "engine/run_state.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::engine {

namespace {

/// Executions that have begun and will begin anew.
void collect_repeated(const FrameSnapshot& frame, std::vector<std::string_view>& ids) {
    for (const auto& pending : frame.pending) {
        if (!pending.execution_id.empty()) {
            ids.push_back(pending.execution_id);
        }
        for (const auto& round : pending.frames) {
            collect_repeated(round, ids);
        }
    }
}

}  // namespace

void RunState::request_pause(std::string reason) {
    if (abort_reason_ || error_ || status_ != RunStatus::running) {
        return;
    }
    is_held_back_ = true;
    pause_reasons_.push_back(
        json::object{{"TYPE", "scheduled_pause"}, {"message", std::move(reason)}}
    );
}

void RunState::defer(Frame& frame, NodeIndex index, const PendingNode* from) const {
    if (from != nullptr) {
        frame.deferred.push_back(*from);
    } else {
        frame.deferred.emplace_back().node_id = graph().node(index).id;
    }
}

void RunState::suspend(Frame& frame, const NodeRun& run, NodeResult& result, Pause& pause) {
    result.status = NodeStatus::paused;
    auto& pending = frame.deferred.emplace_back();
    pending.node_id = run.node_id;
    pending.execution_id = run.execution_id;
    pending.index = run.index;
    pending.state = std::move(pause.state);
    // A node that waits for somebody holds up no other branch: they go as far as they can.
    pause_reasons_.push_back(pause.reason);
    emit(NodeRunPauseRequested{&run, &pause.reason, &result});
}

void RunState::finish_task(const Frame& frame) {
    if (&frame != &*root_ && frame.tasks.size() == 1) {
        return;
    }
    --busy_count_;
    pause_if_still();
}

void RunState::pause_if_still() {
    if (pause_reasons_.empty() || busy_count_ != 0 || status_ != RunStatus::running ||
        abort_reason_ || error_) {
        return;
    }
    auto snapshot = capture();
    if (snapshot.root.pending.empty()) {
        return;  // nothing is left to go on with: the run is over
    }
    snapshot_ = std::make_shared<RunSnapshot>(std::move(snapshot));
    status_ = RunStatus::paused;
    // Containers that wait for rounds which wait for a node.
    root_->tasks.cancel();
}

void RunState::pause_later() {
    if (!pause_reasons_.empty()) {
        root_->tasks.spawn(
            [](RunState* state) -> Task<void> {
                state->pause_if_still();
                co_return;
            },
            this
        );
    }
}

PendingNode RunState::capture(const ActiveNode& active) const {
    PendingNode pending;
    const auto& run = active.run();
    pending.node_id = run.node_id;
    pending.execution_id = run.execution_id;
    pending.index = run.index;
    if (active.keeper != nullptr) {
        pending.state = active.keeper->save_state();
    } else if (active.from() != nullptr) {
        pending.state = active.from()->state;
    }
    for (const auto* round : active.rounds) {
        pending.frames.push_back(capture(*round));
    }
    for (const auto* round : active.waiting_rounds()) {
        pending.frames.push_back(*round);
    }
    return pending;
}

FrameSnapshot RunState::capture(const Frame& frame) const {
    FrameSnapshot snapshot;
    snapshot.index = frame.index;
    if (&frame == &*root_ || frame.variables == &frame.own_variables) {
        snapshot.variables = *frame.variables;
    }
    snapshot.outputs = frame.outputs;
    snapshot.error = frame.error;
    snapshot.has_reached_loop_end = frame.has_reached_loop_end;
    snapshot.usage = frame.usage;
    for (NodeIndex index = 0; index < graph().nodes().size(); ++index) {
        const auto decision = frame.states.node(index);
        if (decision != Decision::unknown) {
            auto& list =
                decision == Decision::taken ? snapshot.taken_nodes : snapshot.skipped_nodes;
            list.push_back(graph().node(index).id);
        }
    }
    for (EdgeIndex index = 0; index < graph().edges().size(); ++index) {
        const auto decision = frame.states.edge(index);
        if (decision != Decision::unknown) {
            const auto& edge = graph().edge(index);
            snapshot.edges.push_back(
                {graph().node(edge.source).id,
                 edge.handle,
                 graph().node(edge.target).id,
                 decision == Decision::taken}
            );
        }
    }
    for (const auto* active = frame.first_active; active != nullptr; active = active->next()) {
        snapshot.pending.push_back(capture(*active));
    }
    for (const auto& queued : frame.queued) {
        auto& pending = snapshot.pending.emplace_back();
        pending.node_id = graph().node(queued.index).id;
        if (queued.from != nullptr) {
            pending = *queued.from;
        }
    }
    snapshot.pending.insert(snapshot.pending.end(), frame.deferred.begin(), frame.deferred.end());
    return snapshot;
}

std::optional<RunSnapshot> RunState::take_snapshot() const {
    return capture();
}

RunSnapshot RunState::capture() const {
    RunSnapshot snapshot;
    snapshot.info = *request_.info;
    snapshot.taken_at = clock_.system_now();
    snapshot.elapsed = elapsed_before() + (clock_.steady_now() - started_at_);
    snapshot.steps = steps_;
    snapshot.node_index = node_index_;
    snapshot.exceptions_count = exceptions_count_;
    snapshot.usage = usage_;
    snapshot.pause_reasons = pause_reasons_;
    snapshot.root = capture(*root_);
    std::vector<std::string_view> again;
    collect_repeated(snapshot.root, again);
    snapshot.stream = stream_->capture([&again](std::string_view execution_id) {
        return std::ranges::find(again, execution_id) != again.end();
    });
    return snapshot;
}

void RunState::restore(Frame& frame, const FrameSnapshot& snapshot) const {
    frame.outputs = snapshot.outputs;
    frame.error = snapshot.error;
    frame.has_reached_loop_end = snapshot.has_reached_loop_end;
    frame.usage = snapshot.usage;
    if (snapshot.variables) {
        *frame.variables = *snapshot.variables;
    }
    for (const auto& id : snapshot.taken_nodes) {
        frame.states.restore_node(graph().find_node(id), Decision::taken);
    }
    for (const auto& id : snapshot.skipped_nodes) {
        frame.states.restore_node(graph().find_node(id), Decision::skipped);
    }
    for (const auto& edge : snapshot.edges) {
        frame.states.restore_edge(
            graph().find_edge(edge.source, edge.handle, edge.target),
            edge.is_taken ? Decision::taken : Decision::skipped
        );
    }
}

void RunState::start_pending(Frame& frame, const FrameSnapshot& snapshot) {
    for (const auto& pending : snapshot.pending) {
        start_node(frame, graph().find_node(pending.node_id), &pending);
    }
}

}  // namespace flowspan::engine
