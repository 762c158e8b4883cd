#pragma once
// What a person is told when a run pauses: what it waits for, and how to go on.

#include "service/paused_run.hpp"

#include <string>

namespace flowspan::cli {

/// The forms with their fields and actions, other reasons, and the command that goes on. `file` is
/// where the run has been written.
[[nodiscard]] std::string describe_pause(const service::PausedRun& paused, const std::string& file);

}  // namespace flowspan::cli
