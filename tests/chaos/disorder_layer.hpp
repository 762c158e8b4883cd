#pragma once
// Between the engine and the layer that makes spans: loses, repeats and holds back what is told.

#include "flowspan/engine/layer.hpp"

#include <atomic>
#include <cstdint>

namespace flowspan::chaos {

/// In percent of the results of nodes.
struct DisorderOptions {
    std::uint64_t seed = 1;
    int lost_percent = 3;
    int late_percent = 5;      ///< told after the end of the graph
    int repeated_percent = 3;  ///< told twice
    int doubled_percent = 2;   ///< hooks called twice
};

struct DisorderCounts {
    std::atomic<std::int64_t> lost{0};
    std::atomic<std::int64_t> late{0};
    std::atomic<std::int64_t> repeated{0};
    std::atomic<std::int64_t> doubled_starts{0};
    std::atomic<std::int64_t> doubled_ends{0};
};

class DisorderLayer final : public engine::Layer {
public:
    /// `inner` must outlive the layer.
    DisorderLayer(engine::Layer& inner, DisorderOptions options)
        : inner_(inner), options_(options) {}

    std::string_view name() const noexcept override { return "disorder"; }

    bool wants_chunks() const noexcept override { return inner_.wants_chunks(); }

    void on_graph_start(engine::RunView& run) override;
    void on_node_run_start(engine::RunView& run, const engine::NodeRun& node) override;
    void on_event(engine::RunView& run, const engine::Event& event) override;
    void on_node_run_end(engine::RunView& run, const engine::NodeRun& node, const Error* error)
        override;
    void on_graph_end(engine::RunView& run, const Error* error) override;

    [[nodiscard]] const DisorderCounts& counts() const noexcept { return counts_; }

private:
    struct PerRun;

    engine::Layer& inner_;
    const DisorderOptions options_;
    std::atomic<std::uint64_t> runs_{0};
    DisorderCounts counts_;
};

}  // namespace flowspan::chaos
