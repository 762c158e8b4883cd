#pragma once
// The list of traces as a table and as JSON, and the times one can ask for.

#include "flowspan/base/result.hpp"
#include "store/span_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::cli {

/// A table with a head. Where `width` has no room for whole trace ids, their first digits stand
/// there. Traces that run have lasted until `now_ns`.
[[nodiscard]] std::string render_trace_list(
    const std::vector<store::TraceRow>& traces, std::int64_t now_ns, std::size_t width
);

/// One object a line.
[[nodiscard]] std::string trace_list_json(
    const std::vector<store::TraceRow>& traces, std::int64_t now_ns
);

/// `2026-01-31 23:59:59`.
[[nodiscard]] std::string utc_text(std::int64_t time_ns);

/// `90s`, `30m`, `2h`, `7d` before `now_ns`, or the begin of a day `2026-01-31` (UTC), in
/// nanoseconds since 1970.
[[nodiscard]] Result<std::int64_t> parse_since(std::string_view text, std::int64_t now_ns);

}  // namespace flowspan::cli
