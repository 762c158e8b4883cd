#pragma once
// Spans put in their places: children under parents, in order of their start, with sums.

#include "export/span_record.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

struct TokenCount {
    std::int64_t input = 0;
    std::int64_t output = 0;

    [[nodiscard]] std::int64_t total() const noexcept { return input + output; }

    TokenCount& operator+=(const TokenCount& other) noexcept {
        input += other.input;
        output += other.output;
        return *this;
    }
};

/// One span in its tree; `children` are positions in Trace::nodes.
struct TraceNode {
    const SpanRecord* span = nullptr;
    std::vector<std::size_t> children;
    TokenCount tokens;        ///< the span's own words
    bool has_failed = false;  ///< status error
    /// A span below failed too, so that this one only passes the failure on.
    bool has_failure_below = false;
};

struct Trace {
    opentelemetry::trace::TraceId trace_id;
    std::vector<TraceNode> nodes;
    std::vector<std::size_t> roots;    ///< no parent, or a parent in another process
    std::vector<std::size_t> orphans;  ///< their parent should be here but is not
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
    /// Counted where the tokens were used; spans that repeat the numbers of spans below them are
    /// left out.
    TokenCount tokens;
    std::size_t errors = 0;  ///< failures counted where they arose
};

/// Traces in order of their first start. The spans must outlive the result.
[[nodiscard]] std::vector<Trace> build_traces(SpanBatch spans);

}  // namespace flowspan::exporting
