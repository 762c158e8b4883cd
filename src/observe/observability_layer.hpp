#pragma once
// The spans of a run: workflow, nodes, attempts and rounds, as they happen.

#include "flowspan/engine/layer.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "flowspan/trace/tracer.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace flowspan::observe {

/// What the layer could not do in order; each is harmless to spans and worth a look.
struct LayerCounts {
    std::uint64_t ends_without_start = 0;  ///< on_node_run_end for an unknown execution
    std::uint64_t repeated_starts = 0;     ///< a second start of an attempt that had not ended
    std::uint64_t late_events = 0;         ///< for a span that had ended; they became log records
    std::uint64_t hooks_after_end = 0;     ///< a node's hook after the end of its graph
    std::uint64_t leftovers = 0;           ///< spans ended by on_graph_end
    std::uint64_t expired = 0;             ///< spans whose result did not come in time
    std::uint64_t parser_failures = 0;     ///< attribute parsers that threw

    bool operator==(const LayerCounts&) const = default;
};

/// Writes attributes of a program's own on a node's span, beside the built-in ones. It may throw:
/// what it wrote stays, the span ends as always, and the failure is counted.
using NodeParser = std::function<
    void(trace::Span& span, const engine::NodeRun& node, const engine::NodeResult& result)>;

/// Keeps active spans by node execution id. Hooks may come from any thread, for many runs at once.
/// A node's span ends when its body has ended and its result is known, always with the time of the
/// body's end. A result that does not come within the grace period is no longer waited for, and
/// what is still open at the end of the graph is ended then, with the reason. Later events become
/// log records with the span's ids.
class ObservabilityLayer final : public engine::Layer {
public:
    static constexpr std::chrono::seconds kGracePeriod{5};

    /// `policy` must outlive the layer.
    explicit ObservabilityLayer(
        const trace::CapturePolicy& policy,
        std::vector<NodeParser> parsers = {},
        std::chrono::nanoseconds grace_period = kGracePeriod
    )
        : policy_(policy), parsers_(std::move(parsers)), grace_period_(grace_period) {}

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
        std::atomic<std::uint64_t> late_events{0};
        std::atomic<std::uint64_t> hooks_after_end{0};
        std::atomic<std::uint64_t> leftovers{0};
        std::atomic<std::uint64_t> expired{0};
        std::atomic<std::uint64_t> parser_failures{0};
    };

private:
    const trace::CapturePolicy& policy_;
    const std::vector<NodeParser> parsers_;
    const std::chrono::nanoseconds grace_period_;
    Counters counters_;
};

}  // namespace flowspan::observe
