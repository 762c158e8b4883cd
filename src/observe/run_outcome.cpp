#include "observe/run_outcome.hpp"

#include "flowspan/trace/names.hpp"

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

void write_run_end(trace::Span& span, engine::RunStatus status, const Error* error) {
    set(span, names::kDifyWorkflowStatus, engine::to_string(status));
    if (error == nullptr) {
        return;
    }
    if (status == engine::RunStatus::stopped) {
        trace::record_cancelled(span, error->message);
        set(span, names::kDifyWorkflowAbortReason, error->message);
        return;
    }
    // The failure's event stands on the span of the node that failed.
    Error copy = *error;
    copy.is_recorded = true;
    trace::record_error(span, copy);
}

void write_outcome(trace::Span& span, const engine::RunResult& result) {
    write_run_end(span, result.status, result.error ? &*result.error : nullptr);
    set(span, names::kDifyWorkflowSteps, result.steps);
    set(span, names::kDifyWorkflowTotalTokens, result.total_tokens);
    if (result.total_price > 0) {
        set(span, names::kDifyWorkflowTotalPrice, result.total_price);
        set(span, names::kDifyWorkflowCurrency, result.currency);
    }
    if (result.exceptions_count > 0) {
        set(span, names::kDifyWorkflowExceptions, result.exceptions_count);
    }
}

void write_outputs(
    trace::Span& span, const engine::RunResult& result, const trace::CapturePolicy& policy
) {
    policy.write(
        span,
        trace::content::kOutput,
        [&] { return trace::content_size(result.outputs); },
        [&] { return json::value(result.outputs); }
    );
}

}  // namespace flowspan::observe
