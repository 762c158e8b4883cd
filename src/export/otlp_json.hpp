#pragma once
// Spans as OTLP JSON: the body of an HTTP request, or one line of an OTLP file.

#include "export/span_sink.hpp"

#include <string>

namespace flowspan::exporting {

/// Appends one ExportTraceServiceRequest without line breaks: lowerCamelCase names, hex ids, 64-bit
/// integers as text, enums as numbers.
void append_otlp_json(std::string& out, const ExportResource& resource, SpanBatch batch);

/// One span without its scope, as it stands in a request. A span that runs has the end time 0.
void append_otlp_span(std::string& out, const SpanRecord& span);

/// `{"attributes":[...]}`.
void append_otlp_resource(std::string& out, const ExportResource& resource);

}  // namespace flowspan::exporting
