#pragma once
// Spans as OTLP protobuf, and the little of protobuf that a receiver answers with.

#include "export/span_sink.hpp"

#include <string>
#include <string_view>

namespace flowspan::exporting {

/// Appends one ExportTraceServiceRequest.
void append_otlp_protobuf(std::string& out, const ExportResource& resource, SpanBatch batch);

/// Reads an ExportTraceServiceResponse; anything that is none counts as full acceptance.
[[nodiscard]] ExportReceipt parse_otlp_response(std::string_view body);

}  // namespace flowspan::exporting
