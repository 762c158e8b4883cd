#pragma once
// Metric snapshots as OTLP export requests.

#include "export/span_sink.hpp"
#include "flowspan/trace/metrics.hpp"

#include <span>
#include <string>

namespace flowspan::exporting {

/// ExportMetricsServiceRequest, cumulative, behind what `out` holds already.
void append_metrics_protobuf(
    std::string& out,
    const ExportResource& resource,
    std::span<const trace::MetricSnapshot> snapshots
);

void append_metrics_json(
    std::string& out,
    const ExportResource& resource,
    std::span<const trace::MetricSnapshot> snapshots
);

}  // namespace flowspan::exporting
