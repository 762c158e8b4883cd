#pragma once
// `flowspan trace content`.

#include "cli/options.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_trace_content(const TraceOptions& options);

}  // namespace flowspan::cli
