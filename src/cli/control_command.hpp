#pragma once
// `flowspan stop` and `flowspan pause`: commands to a run in another process.

#include "cli/options.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_control(const ControlOptions& options);

}  // namespace flowspan::cli
