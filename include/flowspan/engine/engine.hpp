#pragma once
// Runs a compiled graph once: schedules nodes, feeds layers, streams events.

#include "flowspan/engine/event.hpp"
#include "flowspan/engine/layer.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::engine {

class Graph;

/// What a run may use at most. Reaching a limit ends the run as stopped, with the limit named.
struct RunLimits {
    std::int64_t steps_max = 500;
    std::chrono::milliseconds time_max = std::chrono::seconds(1200);
};

struct RunRequest {
    std::shared_ptr<const Graph> graph;
    std::shared_ptr<const RunInfo> info;  ///< null: nothing is known of the run
    value::VariablePool variables;  ///< system, environment, conversation variables and inputs
    RunLimits limits;
    /// Goes on from there instead of starting: `info` and `variables` are the snapshot's. It must
    /// have passed check_snapshot() for `graph`.
    std::shared_ptr<const RunSnapshot> resume_from;
    json::object answers;  ///< what came in for pauses, by their session ids
};

struct RunResult {
    RunStatus status = RunStatus::failed;
    json::object outputs;
    std::optional<Error> error;  ///< set for failed and stopped runs
    /// Paused runs: what resumes them; its pause_reasons say why they wait.
    std::shared_ptr<const RunSnapshot> snapshot;
    std::int64_t exceptions_count = 0;
    std::int64_t total_tokens = 0;
    double total_price = 0;
    std::string currency = "USD";
    std::int64_t steps = 0;
    std::chrono::nanoseconds elapsed{0};
};

/// Commands to a run from any thread. Copies control the same run.
class RunControl {
public:
    RunControl();

    /// Ends the run as stopped, also if it has not started yet. No effect on a finished run.
    void abort(std::string reason) const;

    /// Lets nodes at work finish, starts no others and ends the run as paused, unless nothing was
    /// left to do. Also possible before the start. No effect on a run that has ended or is ending.
    void pause(std::string reason) const;

    struct State;

    [[nodiscard]] const std::shared_ptr<State>& state() const noexcept { return state_; }

private:
    // Shared by the control's copies and the run.
    std::shared_ptr<State> state_;
};

/// One engine is one run. Must outlive the task that run() returns.
class GraphEngine {
public:
    GraphEngine(RunRequest request, const Clock& clock, Random& random, RunControl control = {});
    ~GraphEngine();
    GraphEngine(const GraphEngine&) = delete;
    GraphEngine& operator=(const GraphEngine&) = delete;

    /// Adds a layer before the run starts. `layer` must outlive the run. Hooks are called in order
    /// of addition.
    void add_layer(Layer& layer);

    /// Runs on the calling task's loop and ends when every node has, or when the run is paused.
    /// Layers see all events as they happen; `consumer` sees them with streamed text in the order
    /// of the response templates and without edges. Cancelling the calling task stops the run,
    /// closes it in order, and then throws.
    [[nodiscard]] Task<RunResult> run(EventSink& consumer);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace flowspan::engine
