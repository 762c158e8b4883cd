#pragma once
// The spans of a run: workflow, nodes, attempts and rounds, as they happen.

#include "flowspan/engine/layer.hpp"
#include "flowspan/trace/capture_policy.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace flowspan::observe {

/// What the layer could not do in order; each is harmless to spans and worth a look.
struct LayerCounts {
    std::uint64_t ends_without_start = 0;  ///< on_node_run_end for an unknown execution
    std::uint64_t repeated_starts = 0;     ///< a second start of an attempt that had not ended
    std::uint64_t late_results = 0;        ///< a result event for a span that had ended
    std::uint64_t leftovers = 0;           ///< spans ended by on_graph_end
};

/// Keeps active spans by node execution id. Hooks may come from any thread, for many runs at once.
/// A node's span ends when its body has ended and its result is known, always with the time of the
/// body's end; what is still open at the end of the graph is ended then, with the reason.
class ObservabilityLayer final : public engine::Layer {
public:
    /// `policy` must outlive the layer.
    explicit ObservabilityLayer(const trace::CapturePolicy& policy) : policy_(policy) {}

    std::string_view name() const noexcept override { return "observability"; }

    bool wants_chunks() const noexcept override { return false; }

    void on_graph_start(engine::RunView& run) override;
    void on_node_run_start(engine::RunView& run, const engine::NodeRun& node) override;
    void on_event(engine::RunView& run, const engine::Event& event) override;
    void on_node_run_end(engine::RunView& run, const engine::NodeRun& node, const Error* error)
        override;
    void on_graph_end(engine::RunView& run, const Error* error) override;

    [[nodiscard]] LayerCounts counts() const noexcept;

    struct Counters {
        std::atomic<std::uint64_t> ends_without_start{0};
        std::atomic<std::uint64_t> repeated_starts{0};
        std::atomic<std::uint64_t> late_results{0};
        std::atomic<std::uint64_t> leftovers{0};
    };

private:
    const trace::CapturePolicy& policy_;
    Counters counters_;
};

}  // namespace flowspan::observe
