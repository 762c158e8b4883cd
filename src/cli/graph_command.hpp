#pragma once
// `flowspan graph`: draws what an app does.

#include "cli/options.hpp"
#include "cli/terminal.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode draw_graph(const GraphOptions& options, const Terminal& terminal);

}  // namespace flowspan::cli
