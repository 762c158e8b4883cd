#pragma once
// Spans to an OTLP receiver over HTTP (protobuf or JSON) or gRPC.

#include "export/span_sink.hpp"

#include <memory>

namespace flowspan::exporting {

/// One connection, used by one batch at a time. Fails if the endpoint is no http or https URL.
[[nodiscard]] Result<std::shared_ptr<SpanSink>> make_otlp_sink(OtlpConfig config);

}  // namespace flowspan::exporting
