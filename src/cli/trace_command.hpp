#pragma once
// `flowspan trace`: what the local store knows of runs, also while they go on.

#include "cli/options.hpp"
#include "cli/terminal.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_trace(const TraceOptions& options, const Terminal& terminal);

}  // namespace flowspan::cli
