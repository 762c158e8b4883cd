#pragma once
// Layers observe a run from outside and act on it only by commands.

#include "flowspan/engine/event.hpp"
#include "flowspan/engine/run_snapshot.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flowspan::engine {

class Layer;

/// A run as its layers see it.
class RunView {
public:
    virtual ~RunView() = default;

    [[nodiscard]] virtual const RunInfo& info() const noexcept = 0;
    [[nodiscard]] virtual const value::VariablePool& variables() const noexcept = 0;
    /// Node executions started so far, in all frames; attempts count.
    [[nodiscard]] virtual std::int64_t step_count() const noexcept = 0;

    /// Failures so far, those that were handled or tried again among them; 0 if the engine does not
    /// count them.
    [[nodiscard]] virtual std::int64_t exceptions_count() const noexcept { return 0; }

    [[nodiscard]] virtual std::int64_t total_tokens() const noexcept = 0;
    [[nodiscard]] virtual double total_price() const noexcept = 0;
    [[nodiscard]] virtual SteadyTime started_at() const noexcept = 0;
    [[nodiscard]] virtual RunStatus status() const noexcept = 0;

    /// Ends the run as stopped, soon. The first reason counts.
    virtual void request_abort(std::string reason) = 0;

    /// Where the run stands: another process can go on from there if this one ends now. Nodes at
    /// work will then run again from their beginning, containers from their unfinished rounds.
    /// Nothing if the engine cannot do that.
    [[nodiscard]] virtual std::optional<RunSnapshot> take_snapshot() const { return std::nullopt; }

    /// What the run goes on from; null if it started from its beginning.
    [[nodiscard]] virtual const RunSnapshot* resumed_from() const noexcept { return nullptr; }

    /// Where `layer` keeps what it knows of this run. Empty at on_graph_start; released after
    /// on_graph_end.
    [[nodiscard]] virtual std::shared_ptr<void>& slot(const Layer& layer) = 0;
};

/// Hooks are called where things happen: graph hooks in the run's task, node hooks in the node's
/// own task immediately before and after its body (once per attempt), so what on_node_run_start
/// makes current is current for the body and must be undone in on_node_run_end. on_event may come
/// from any task of the run, also after on_node_run_end. One layer may serve many runs on many
/// threads at once. A layer that throws is logged, counted and switched off for that run, except
/// that on_graph_end is still called so that it can clean up.
class Layer {
public:
    virtual ~Layer() = default;

    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// False: on_event is not called for pieces of streamed text, of which a run may have
    /// thousands. Constant.
    [[nodiscard]] virtual bool wants_chunks() const noexcept { return true; }

    virtual void on_graph_start(RunView& /*run*/) {}

    virtual void on_node_run_start(RunView& /*run*/, const NodeRun& /*node*/) {}

    virtual void on_event(RunView& /*run*/, const Event& /*event*/) {}

    /// `error` is null when the attempt succeeded or asked for a pause. A cancelled attempt has an
    /// error of type `cancelled`, a container that the run's pause interrupts one of type `paused`.
    virtual void on_node_run_end(
        RunView& /*run*/, const NodeRun& /*node*/, const Error* /*error*/
    ) {}

    /// `error` is set when the run failed or was stopped. Also called when the run is paused.
    virtual void on_graph_end(RunView& /*run*/, const Error* /*error*/) {}
};

/// How often layers were switched off since the process started, for metrics.
[[nodiscard]] std::uint64_t layer_failure_count() noexcept;

}  // namespace flowspan::engine
