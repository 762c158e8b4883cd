// A round of a container: from its start, or from where an earlier process left it.
#include "engine/run_state.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::engine {

namespace {

// A round that cannot go on waits until the run, paused, ends in this process.
constexpr auto kUntilCancelled = std::chrono::hours(24 * 365);

/// Announces a round's end also when the round is cancelled.
class RoundScope {
public:
    RoundScope(RunState& state, ActiveNode& container, const Frame& frame, FrameStarted started)
        : state_(state), container_(container), frame_(frame) {
        state_.emit(started);
        // From here on a snapshot finds the round as it is, and until its end has been told.
        container_.rounds.push_back(&frame_);
    }

    ~RoundScope() {
        state_.emit(FrameEnded{
            &container_.run(),
            frame_.index,
            &frame_,
            frame_.error ? &*frame_.error : nullptr,
            state_.status() == RunStatus::paused
        });
        std::erase(container_.rounds, &frame_);
    }

    RoundScope(const RoundScope&) = delete;
    RoundScope& operator=(const RoundScope&) = delete;

private:
    RunState& state_;
    ActiveNode& container_;
    const Frame& frame_;
};

void set_position(ContainerPosition& position, const GraphNode& container, std::int64_t index) {
    if (container.type == "loop") {
        position.loop_id = container.id;
        position.loop_index = index;
    } else {
        position.iteration_id = container.id;
        position.iteration_index = index;
    }
}

// As the outputs of response nodes add up: answers follow each other, anything else is replaced.
void merge_outputs(json::object& total, const json::object& more) {
    for (const auto& output : more) {
        auto& merged = total[output.key()];
        if (output.key() == "answer" && merged.is_string() && output.value().is_string()) {
            merged.get_string().append(output.value().get_string());
        } else {
            merged = output.value();
        }
    }
}

}  // namespace

void RunState::start_round(Frame& frame, ActiveNode& container, FrameRequest& request) {
    if (const auto* snapshot = container.take_round(request.index)) {
        restore(frame, *snapshot);
        start_pending(frame, *snapshot);
        return;
    }
    const auto& node = graph().node(container.index());
    for (auto& variable : request.variables) {
        frame.variables->set(node.id, variable.name, std::move(variable.value));
    }
    frame.states.mark_ready(node.first_child);
    start_node(frame, node.first_child);
}

Task<void> RunState::join_round(ActiveNode& container, Frame& frame) {
    // A container counts as busy only while none of its rounds is open.
    if (container.rounds.size() == 1) {
        --busy_count_;
    }
    if (frame.tasks.size() == 0) {
        ++busy_count_;  // as its last task would have left it
    }
    co_await frame.tasks.join();
    while (!frame.deferred.empty()) {
        --busy_count_;
        pause_if_still();
        co_await async::sleep(kUntilCancelled);
        ++busy_count_;
    }
    if (container.rounds.size() > 1) {
        --busy_count_;
        pause_later();
    }
}

Task<FrameResult> RunState::run_frame(Frame& parent, ActiveNode& container, FrameRequest request) {
    const auto& node = graph().node(container.index());
    const auto executor = co_await async::this_executor();
    Frame frame(graph(), executor);
    frame.index = request.index;
    frame.position = parent.position;
    set_position(frame.position, node, request.index);
    if (request.shares_variables) {
        frame.variables = parent.variables;
    } else {
        frame.own_variables = *parent.variables;
        frame.variables = &frame.own_variables;
    }
    const auto started_at = clock_.steady_now();
    {
        const RoundScope scope(
            *this,
            container,
            frame,
            {&container.run(), request.index_name, frame.index, &frame, started_at}
        );
        start_round(frame, container, request);
        co_await join_round(container, frame);
    }
    parent.has_reached_loop_end |= frame.has_reached_loop_end && request.index_name != "loop";
    add(parent.usage, frame.usage);
    if (request.merges_outputs && (request.shares_variables || !frame.error)) {
        merge_outputs(parent.outputs, frame.outputs);
    }
    FrameResult result;
    result.elapsed = std::chrono::duration<double>(clock_.steady_now() - started_at).count();
    result.variables = *frame.variables;
    result.outputs = std::move(frame.outputs);
    result.error = std::move(frame.error);
    result.has_reached_loop_end = frame.has_reached_loop_end;
    result.usage = frame.usage;
    co_return result;
}

}  // namespace flowspan::engine
