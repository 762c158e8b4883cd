#pragma once
// Head sampling by the OTEL_TRACES_SAMPLER rules.

#include "flowspan/export/telemetry_config.hpp"

#include <opentelemetry/sdk/trace/sampler.h>

#include <memory>

namespace flowspan::exporting {

/// The ratio kinds look at the last eight bytes of the trace id, as the SDKs of the other languages
/// do, so that services with the same ratio keep the same traces.
[[nodiscard]] std::unique_ptr<opentelemetry::sdk::trace::Sampler> make_sampler(
    const SamplerConfig& config
);

}  // namespace flowspan::exporting
