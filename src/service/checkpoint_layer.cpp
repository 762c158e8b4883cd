#include "service/checkpoint_layer.hpp"

#include <utility>
#include <variant>

namespace flowspan::service {

namespace {

bool is_worth_keeping(const engine::Event& event) {
    return std::holds_alternative<engine::GraphRunStarted>(event) ||
           std::holds_alternative<engine::NodeRunSucceeded>(event) ||
           std::holds_alternative<engine::NodeRunException>(event) ||
           std::holds_alternative<engine::NodeRunPauseRequested>(event);
}

}  // namespace

CheckpointLayer::CheckpointLayer(RunKeeper& keeper, PausedRun run)
    : keeper_(keeper), run_(std::move(run)) {}

void CheckpointLayer::on_event(engine::RunView& run, const engine::Event& event) {
    if (!is_worth_keeping(event)) {
        return;
    }
    if (auto snapshot = run.take_snapshot()) {
        run_.run = std::make_shared<const engine::RunSnapshot>(*std::move(snapshot));
        keeper_.keep(run_);
    }
}

}  // namespace flowspan::service
