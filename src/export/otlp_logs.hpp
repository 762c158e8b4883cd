#pragma once
// Log records as OTLP export requests.

#include "export/span_sink.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/trace/log_event.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace flowspan::exporting {

using LogValue = std::variant<std::string, std::int64_t, double, bool, json::value>;

/// A log event that owns all it shows.
struct LogRecord {
    std::string name;
    trace::LogSeverity severity = trace::LogSeverity::info;
    std::string body;
    std::vector<std::pair<std::string, LogValue>> attributes;
    opentelemetry::trace::SpanContext span = opentelemetry::trace::SpanContext::GetInvalid();
    std::int64_t time_ns = 0;

    [[nodiscard]] std::size_t byte_size() const noexcept;
};

// Owners: the queues of all receivers.
using LogRecordPtr = std::shared_ptr<const LogRecord>;

/// The text form that OTLP gives a severity: `INFO`.
[[nodiscard]] std::string_view severity_text(trace::LogSeverity severity) noexcept;

/// ExportLogsServiceRequest behind what `out` holds already.
void append_logs_protobuf(
    std::string& out, const ExportResource& resource, std::span<const LogRecordPtr> records
);
void append_logs_json(
    std::string& out, const ExportResource& resource, std::span<const LogRecordPtr> records
);

}  // namespace flowspan::exporting
