#pragma once
// Facts of a node's result as span attributes: the one table from facts to names.

#include "flowspan/engine/event.hpp"
#include "flowspan/trace/capture_policy.hpp"

namespace flowspan::observe {

/// Writes status, branch, error and the kind's own facts on the node's span. `is_error_recorded`:
/// an inner span has the error's exception event.
void write_node_result(
    trace::Span& span,
    const engine::NodeRun& node,
    const engine::NodeResult& result,
    const trace::CapturePolicy& policy,
    bool is_error_recorded
);

/// Dify's `gen_ai.span.kind` of a node type: LLM, RETRIEVER, TOOL, AGENT or TASK.
[[nodiscard]] std::string_view span_kind_of(std::string_view node_type) noexcept;

}  // namespace flowspan::observe
