#pragma once
// Spans as the local store keeps them: OTLP JSON, one document a span.

#include "export/span_sink.hpp"
#include "flowspan/base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace flowspan::exporting {

/// `{"scope":{...},"schemaUrl":"...","span":{...}}`.
[[nodiscard]] std::string write_stored_span(const SpanRecord& span);

/// The record again; open if it was. Fails on a text that `write_stored_span` did not make.
[[nodiscard]] Result<std::shared_ptr<SpanRecord>> read_stored_span(std::string_view text);

[[nodiscard]] std::string write_stored_resource(const ExportResource& resource);
[[nodiscard]] Result<ExportResource> read_stored_resource(std::string_view text);

[[nodiscard]] std::string to_hex(const opentelemetry::trace::TraceId& id);
/// Empty for the invalid id.
[[nodiscard]] std::string to_hex(const opentelemetry::trace::SpanId& id);

}  // namespace flowspan::exporting
