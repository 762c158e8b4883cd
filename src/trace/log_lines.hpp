#pragma once
// Log lines that know their span.

#include <spdlog/common.h>
#include <spdlog/pattern_formatter.h>

#include <memory>

namespace flowspan::trace {

/// Prints ` [trace_id=... span_id=...]` when a span is current, else nothing. For patterns.
[[nodiscard]] std::unique_ptr<spdlog::custom_flag_formatter> make_span_flag();

/// Hands every line to the log receiver with the current span.
[[nodiscard]] spdlog::sink_ptr make_log_event_sink();

}  // namespace flowspan::trace
