#pragma once
// Spans of the business layer: generate and the app runners, by decorating their interfaces.

#include "service/app_generate_service.hpp"
#include "service/app_runner.hpp"

#include <memory>

namespace flowspan::observe {

/// Wraps the service so that each generate() is a span `AppGenerateService.generate` that lasts
/// until the answer is exhausted. `inner` must outlive the result.
[[nodiscard]] std::unique_ptr<service::AppGenerateService> trace_generate_service(
    service::AppGenerateService& inner
);

/// Wraps a runner; `name` is its class name and the span's name is `<name>.run`.
[[nodiscard]] std::unique_ptr<service::AppRunner> trace_app_runner(
    service::AppRunner& inner, std::string name
);

}  // namespace flowspan::observe
