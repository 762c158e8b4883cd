#include "engine/limits_layer.hpp"

#include <fmt/format.h>

namespace flowspan::engine {

void LimitsLayer::on_event(RunView& run, const Event& event) {
    // Checked when a node has ended, as users of the original know it.
    const bool has_ended = std::holds_alternative<NodeRunSucceeded>(event) ||
                           std::holds_alternative<NodeRunFailed>(event);
    if (has_ended && run.step_count() > steps_max_) {
        run.request_abort(
            fmt::format("Maximum execution steps exceeded: {} > {}", run.step_count(), steps_max_)
        );
    }
}

}  // namespace flowspan::engine
