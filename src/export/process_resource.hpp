#pragma once
// Who sends: the resource of this process's telemetry.

#include "export/span_sink.hpp"

namespace flowspan::exporting {

[[nodiscard]] ExportResource make_process_resource(const TelemetryConfig& config);

}  // namespace flowspan::exporting
