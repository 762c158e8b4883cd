#pragma once
// Metric snapshots in the text forms that Prometheus scrapes.

#include "flowspan/trace/metrics.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace flowspan::exporting {

enum class ScrapeFormat : std::uint8_t {
    text,         ///< version 0.0.4, without exemplars
    openmetrics,  ///< version 1.0.0, with exemplars
};

/// The Content-Type that belongs to it.
[[nodiscard]] std::string_view content_type(ScrapeFormat format) noexcept;

/// Names get underscores for dots and the suffixes of their unit and kind, as the OpenTelemetry
/// specification lays down: `gen_ai.client.operation.duration` in `s` becomes
/// `gen_ai_client_operation_duration_seconds`.
[[nodiscard]] std::string prometheus_text(
    std::span<const trace::MetricSnapshot> snapshots, ScrapeFormat format = ScrapeFormat::text
);

}  // namespace flowspan::exporting
