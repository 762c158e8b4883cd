#pragma once
// `flowspan trace score`.

#include "cli/options.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_trace_score(const TraceOptions& options);

}  // namespace flowspan::cli
