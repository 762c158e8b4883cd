#pragma once
// `flowspan trace follow`: a trace that grows while one looks.

#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "store/span_store.hpp"

#include <string>

namespace flowspan::cli {

/// Shows the trace until it ends: on a terminal as a tree that is drawn in place, elsewhere with a
/// line for each span that starts and ends. Without an id it takes the newest running trace, or
/// waits for one. Ctrl-C ends it with `interrupted`.
[[nodiscard]] Result<ExitCode> follow_trace(
    store::SpanStore& store, const std::string& trace_id, const Terminal& terminal
);

}  // namespace flowspan::cli
