#pragma once
// `flowspan check`: what is supported in each file, what is not, and where.

#include "cli/options.hpp"
#include "cli/terminal.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_check(const CheckOptions& options, const Terminal& terminal);

}  // namespace flowspan::cli
