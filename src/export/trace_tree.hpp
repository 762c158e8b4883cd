#pragma once
// A run's spans as a tree with a waterfall, for the terminal.

#include "export/span_record.hpp"

#include <cstddef>
#include <string>

namespace flowspan::exporting {

struct TreeOptions {
    std::size_t width = 80;  ///< columns; no line is longer, bars end at the last one
    bool use_color = false;
    bool use_unicode = false;
    /// Of the children of one span with one name; the others are summed up in a line.
    std::size_t siblings_max = 20;
    std::size_t lines_max = 2000;
};

/// One tree for each trace among the spans, each under a line with the trace id, the whole time,
/// and the numbers of spans, tokens and errors. Ends with a line break; empty without spans.
[[nodiscard]] std::string render_trace_tree(SpanBatch spans, const TreeOptions& options);

}  // namespace flowspan::exporting
