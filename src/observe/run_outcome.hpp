#pragma once
// A run's end on its spans: status, error, tokens, price.

#include "flowspan/engine/engine.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "flowspan/trace/tracer.hpp"

#include <string_view>

namespace flowspan::observe {

/// Status and totals as the run's result has them. A failed run is an error; a stopped one is an
/// error of type `cancelled` with the reason; partial success is no error.
void write_outcome(trace::Span& span, const engine::RunResult& result);

/// What the run gave, as the policy says.
void write_outputs(
    trace::Span& span, const engine::RunResult& result, const trace::CapturePolicy& policy
);

/// The end of a run that is told by its status and error alone.
void write_run_end(trace::Span& span, engine::RunStatus status, const Error* error);

}  // namespace flowspan::observe
