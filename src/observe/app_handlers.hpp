#pragma once
// Spans of the business layer: generate and the app runners, by decorating their interfaces.

#include "flowspan/trace/baggage.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "service/app_generate_service.hpp"
#include "service/app_runner.hpp"

#include <memory>

namespace flowspan::observe {

/// Wraps the service so that each generate() is a span `AppGenerateService.generate` that lasts
/// until the answer is exhausted, and a run scope: what may be recorded of the app, and its
/// secrets, which are taken out of every span. `inner` and `policy` must outlive the result.
[[nodiscard]] std::unique_ptr<service::AppGenerateService> trace_generate_service(
    service::AppGenerateService& inner, const trace::CapturePolicy& policy
);

/// Wraps a runner; `name` is its class name and the span's name is `<name>.run`. Completes the run
/// scope with the run's ids, and makes baggage of what the rules allow.
[[nodiscard]] std::unique_ptr<service::AppRunner> trace_app_runner(
    service::AppRunner& inner,
    std::string name,
    const trace::CapturePolicy& policy,
    trace::BaggageRules baggage = {}
);

}  // namespace flowspan::observe
