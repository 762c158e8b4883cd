#pragma once
// Spans to an OTLP receiver over HTTP (protobuf or JSON) or gRPC.

#include "export/span_sink.hpp"

#include <memory>
#include <string_view>

namespace flowspan::exporting {

/// One connection, used by one batch at a time; `name` stands in messages beside the endpoint.
/// Fails if the endpoint is no http or https URL.
[[nodiscard]] Result<std::shared_ptr<SpanSink>> make_otlp_sink(
    OtlpConfig config, std::string_view name = {}
);

}  // namespace flowspan::exporting
