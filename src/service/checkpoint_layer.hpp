#pragma once
// Keeps a run's snapshots up to date while it is at work.

#include "flowspan/engine/layer.hpp"
#include "service/paused_run.hpp"

namespace flowspan::service {

/// Takes a snapshot when the run starts and whenever a node's result is known. One run only.
class CheckpointLayer final : public engine::Layer {
public:
    /// `keeper` must outlive the layer; `run` is everything but the snapshot.
    CheckpointLayer(RunKeeper& keeper, PausedRun run);

    std::string_view name() const noexcept override { return "checkpoint"; }

    bool wants_chunks() const noexcept override { return false; }

    void on_event(engine::RunView& run, const engine::Event& event) override;

private:
    RunKeeper& keeper_;
    PausedRun run_;
};

}  // namespace flowspan::service
