#pragma once
// `flowspan run`: one run from the command line, and its trace.

#include "cli/options.hpp"
#include "cli/terminal.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_app(const RunOptions& options, const Terminal& terminal);

}  // namespace flowspan::cli
