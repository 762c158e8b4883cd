#pragma once
// What the trace tree says about a span: its label, its failure, its duration.

#include "export/terminal_line.hpp"
#include "export/trace_forest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace flowspan::exporting {

/// Name and the facts worth a glance, the important first.
[[nodiscard]] std::vector<Piece> label_pieces(const TraceNode& node, const Symbols& symbols);

/// Why the span failed, also if that was handled; empty if it did not, or said nothing.
[[nodiscard]] std::string failure_text(const SpanRecord& span);

/// Three digits and a unit, at most eight columns.
[[nodiscard]] std::string duration_text(std::int64_t duration_ns, const Symbols& symbols);

/// `321→45`: input and output; empty without tokens.
[[nodiscard]] std::string tokens_text(const TokenCount& tokens, const Symbols& symbols);

}  // namespace flowspan::exporting
