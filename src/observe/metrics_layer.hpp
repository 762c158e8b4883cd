#pragma once
// Metrics of runs and nodes, whether or not they are traced.

#include "flowspan/engine/layer.hpp"
#include "observe/instruments.hpp"

namespace flowspan::observe {

/// Put it inside of the observability layer's hooks (after it), so that exemplars name its spans.
class MetricsLayer final : public engine::Layer {
public:
    /// Both must outlive the layer.
    MetricsLayer(Instruments& instruments, const Clock& clock)
        : instruments_(instruments), clock_(clock) {}

    std::string_view name() const noexcept override { return "metrics"; }

    void on_graph_start(engine::RunView& run) override;
    void on_event(engine::RunView& run, const engine::Event& event) override;
    void on_graph_end(engine::RunView& run, const Error* error) override;

private:
    void count_node(const engine::NodeRun& node, const engine::NodeResult& result);
    void count_usage(const engine::RunView& run, const engine::NodeResult& result);
    void count_chunk(engine::RunView& run, const engine::NodeRunStreamChunk& chunk);

    Instruments& instruments_;
    const Clock& clock_;
};

}  // namespace flowspan::observe
