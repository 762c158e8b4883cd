#pragma once
// What happens in a run as log records of its spans, for whoever collects logs.

#include "flowspan/engine/layer.hpp"

namespace flowspan::observe {

/// Silent while nobody receives logs. Tells the run's start and end, and nodes that fail, are tried
/// again or have something to say. Words of users and providers stay out.
class RunLogLayer final : public engine::Layer {
public:
    std::string_view name() const noexcept override { return "log"; }

    bool wants_chunks() const noexcept override { return false; }

    void on_graph_start(engine::RunView& run) override;
    void on_event(engine::RunView& run, const engine::Event& event) override;
    void on_graph_end(engine::RunView& run, const Error* error) override;
};

}  // namespace flowspan::observe
