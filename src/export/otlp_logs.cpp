#include "export/otlp_logs.hpp"

#include "export/otlp_common.hpp"
#include "flowspan/trace/capture_policy.hpp"

namespace flowspan::exporting {

namespace {

// Field numbers of the messages, as opentelemetry-proto 1.x fixes them.
namespace field {
constexpr std::uint32_t kScopeRecords = 2;
constexpr std::uint32_t kTime = 1;
constexpr std::uint32_t kSeverity = 2;
constexpr std::uint32_t kSeverityText = 3;
constexpr std::uint32_t kBody = 5;
constexpr std::uint32_t kAttributes = 6;
constexpr std::uint32_t kFlags = 8;
constexpr std::uint32_t kTraceId = 9;
constexpr std::uint32_t kSpanId = 10;
constexpr std::uint32_t kObservedTime = 11;
constexpr std::uint32_t kEventName = 12;
}  // namespace field

void write_record(ProtobufWriter& writer, const LogRecord& record) {
    const auto time = static_cast<std::uint64_t>(record.time_ns);
    writer.fixed64(field::kTime, time);
    writer.varint(field::kSeverity, static_cast<std::uint64_t>(record.severity));
    writer.bytes(field::kSeverityText, severity_text(record.severity));
    if (!record.body.empty()) {
        writer.message(field::kBody, [&] { AnyValueWriter{writer}(record.body); });
    }
    for (const auto& [key, value] : record.attributes) {
        write_key_value(writer, field::kAttributes, key, value);
    }
    if (record.span.IsValid()) {
        writer.fixed32(field::kFlags, record.span.trace_flags().flags());
        writer.id(field::kTraceId, record.span.trace_id());
        writer.id(field::kSpanId, record.span.span_id());
    }
    writer.fixed64(field::kObservedTime, time);
    writer.text_unless_empty(field::kEventName, record.name);
}

json::object record_json(const LogRecord& record) {
    const auto time = fmt::format("{}", record.time_ns);
    json::object object{
        {"timeUnixNano", time},
        {"observedTimeUnixNano", time},
        {"severityNumber", static_cast<int>(record.severity)},
        {"severityText", severity_text(record.severity)},
    };
    if (!record.body.empty()) {
        object["body"] = AnyValueJson{}(record.body);
    }
    json::array attributes;
    for (const auto& [key, value] : record.attributes) {
        attributes.push_back(key_value_json(key, value));
    }
    object["attributes"] = std::move(attributes);
    if (record.span.IsValid()) {
        object["flags"] = record.span.trace_flags().flags();
        object["traceId"] = to_hex(record.span.trace_id());
        object["spanId"] = to_hex(record.span.span_id());
    }
    if (!record.name.empty()) {
        object["eventName"] = record.name;
    }
    return object;
}

}  // namespace

std::size_t LogRecord::byte_size() const noexcept {
    std::size_t size = sizeof(LogRecord) + name.size() + body.size();
    for (const auto& [key, value] : attributes) {
        size += key.size() + sizeof(value);
        if (const auto* text = std::get_if<std::string>(&value)) {
            size += text->size();
        } else if (const auto* document = std::get_if<json::value>(&value)) {
            size += trace::content_size(*document);
        }
    }
    return size;
}

std::string_view severity_text(trace::LogSeverity severity) noexcept {
    switch (severity) {
        case trace::LogSeverity::trace:
            return "TRACE";
        case trace::LogSeverity::debug:
            return "DEBUG";
        case trace::LogSeverity::info:
            return "INFO";
        case trace::LogSeverity::warn:
            return "WARN";
        case trace::LogSeverity::error:
            return "ERROR";
    }
    return "";
}

void append_logs_protobuf(
    std::string& out, const ExportResource& resource, std::span<const LogRecordPtr> records
) {
    ProtobufWriter writer(out);
    write_resource_and_scope(writer, resource, [&] {
        for (const auto& record : records) {
            writer.message(field::kScopeRecords, [&] { write_record(writer, *record); });
        }
    });
}

void append_logs_json(
    std::string& out, const ExportResource& resource, std::span<const LogRecordPtr> records
) {
    json::array list;
    for (const auto& record : records) {
        list.push_back(record_json(*record));
    }
    out += to_json_text(request_json(
        resource, "resourceLogs", "scopeLogs", json::object{{"logRecords", std::move(list)}}
    ));
}

}  // namespace flowspan::exporting
