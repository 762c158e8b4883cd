#pragma once
// `flowspan trace test`.

#include "cli/options.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_trace_test(const TraceOptions& options);

}  // namespace flowspan::cli
