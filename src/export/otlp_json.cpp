#include "export/otlp_json.hpp"

#include "export/scope_groups.hpp"
#include "flowspan/base/json.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <concepts>
#include <iterator>

namespace flowspan::exporting {

namespace {

using opentelemetry::trace::StatusCode;

template <class Id>
void append_hex(std::string& out, const Id& id) {
    std::array<char, 2 * Id::kSize> digits{};
    id.ToLowerBase16(digits);
    out += '"';
    out.append(digits.data(), digits.size());
    out += '"';
}

void append_base64(std::string& out, std::string_view bytes) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out += '"';
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const auto group = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = (bits << 8U) | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out += i <= group.size() ? kDigits[(bits >> (18U - 6U * i)) & 0x3FU] : '=';
        }
    }
    out += '"';
}

template <class Integer>
void append_integer(std::string& out, Integer number) {
    const fmt::format_int digits(number);
    out.append(digits.data(), digits.size());
}

// JSON has no word for these; protobuf's JSON form spells them so.
void append_double(std::string& out, double number) {
    if (std::isnan(number)) {
        out += "\"NaN\"";
    } else if (std::isinf(number)) {
        out += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
        fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), number);
    }
}

struct ValueWriter {
    std::string& out;

    void operator()(bool value) const {
        out += value ? R"({"boolValue":true})" : R"({"boolValue":false})";
    }

    void operator()(std::int64_t value) const {
        out += R"({"intValue":")";
        append_integer(out, value);
        out += "\"}";
    }

    void operator()(double value) const {
        out += R"({"doubleValue":)";
        append_double(out, value);
        out += '}';
    }

    void operator()(std::string_view value) const {
        out += R"({"stringValue":)";
        append_json_string(out, value);
        out += '}';
    }

    void operator()(ByteView value) const {
        out += R"({"bytesValue":)";
        append_base64(out, value.bytes);
        out += '}';
    }

    template <class List>
        requires(!std::convertible_to<const List&, std::string_view>)
    void operator()(const List& values) const {
        out += R"({"arrayValue":{"values":[)";
        bool is_first = true;
        values.for_each([this, &is_first](const auto& value) {
            out += is_first ? "" : ",";
            is_first = false;
            (*this)(value);
        });
        out += "]}}";
    }
};

class AttributeWriter {
public:
    explicit AttributeWriter(std::string& out) : out_(out) { out_ += R"("attributes":[)"; }

    ~AttributeWriter() { out_ += ']'; }

    AttributeWriter(const AttributeWriter&) = delete;
    AttributeWriter& operator=(const AttributeWriter&) = delete;

    void write_key(std::string_view key) {
        out_ += is_first_ ? R"({"key":)" : R"(,{"key":)";
        is_first_ = false;
        append_json_string(out_, key);
        out_ += R"(,"value":)";
    }

    void operator()(const AttributeView& attribute) {
        write_key(attribute.key);
        std::visit(ValueWriter{out_}, attribute.value);
        out_ += '}';
    }

private:
    std::string& out_;
    bool is_first_ = true;
};

void append_dropped(std::string& out, std::string_view name, std::uint32_t count) {
    if (count > 0) {
        out += ",\"";
        out += name;
        out += "\":";
        append_integer(out, count);
    }
}

void append_time(std::string& out, std::string_view name, std::int64_t time_ns) {
    out += '"';
    out += name;
    out += "\":\"";
    append_integer(out, time_ns);
    out += '"';
}

void append_events(std::string& out, const SpanRecord& span) {
    out += R"(,"events":[)";
    for (std::size_t i = 0; i < span.event_count(); ++i) {
        const auto event = span.event(i);
        out += i == 0 ? "{" : ",{";
        append_time(out, "timeUnixNano", event.time_ns);
        out += R"(,"name":)";
        append_json_string(out, event.name);
        out += ',';
        {
            AttributeWriter writer(out);
            span.for_each_event_attribute(i, [&writer](const auto& item) { writer(item); });
        }
        append_dropped(out, "droppedAttributesCount", event.dropped_attributes);
        out += '}';
    }
    out += ']';
}

void append_links(std::string& out, const SpanRecord& span) {
    out += R"(,"links":[)";
    for (std::size_t i = 0; i < span.link_count(); ++i) {
        const auto link = span.link(i);
        out += i == 0 ? R"({"traceId":)" : R"(,{"traceId":)";
        append_hex(out, link.trace_id);
        out += R"(,"spanId":)";
        append_hex(out, link.span_id);
        if (!link.trace_state.empty()) {
            out += R"(,"traceState":)";
            append_json_string(out, link.trace_state);
        }
        out += ',';
        {
            AttributeWriter writer(out);
            span.for_each_link_attribute(i, [&writer](const auto& item) { writer(item); });
        }
        append_dropped(out, "droppedAttributesCount", link.dropped_attributes);
        out += R"(,"flags":)";
        append_integer(out, otlp_flags(link.trace_flags, link.is_remote));
        out += '}';
    }
    out += ']';
}

void append_status(std::string& out, const SpanRecord& span) {
    if (span.status() == StatusCode::kUnset) {
        return;
    }
    out += R"(,"status":{"code":)";
    append_integer(out, static_cast<std::uint32_t>(span.status()));
    if (!span.status_description().empty()) {
        out += R"(,"message":)";
        append_json_string(out, span.status_description());
    }
    out += '}';
}

void append_schema_url(std::string& out, std::string_view schema_url) {
    if (!schema_url.empty()) {
        out += R"(,"schemaUrl":)";
        append_json_string(out, schema_url);
    }
}

}  // namespace

void append_otlp_span(std::string& out, const SpanRecord& span) {
    out += R"({"traceId":)";
    append_hex(out, span.trace_id);
    out += R"(,"spanId":)";
    append_hex(out, span.span_id);
    if (!span.trace_state().empty()) {
        out += R"(,"traceState":)";
        append_json_string(out, span.trace_state());
    }
    if (span.parent_span_id.IsValid()) {
        out += R"(,"parentSpanId":)";
        append_hex(out, span.parent_span_id);
    }
    out += R"(,"flags":)";
    append_integer(out, otlp_flags(span.trace_flags, span.is_parent_remote));
    out += R"(,"name":)";
    append_json_string(out, span.name());
    out += R"(,"kind":)";
    append_integer(out, otlp_kind(span.kind));
    out += ',';
    append_time(out, "startTimeUnixNano", span.start_ns);
    out += ',';
    append_time(out, "endTimeUnixNano", span.is_open ? 0 : span.end_ns());
    out += ',';
    {
        AttributeWriter writer(out);
        span.for_each_attribute([&writer](const auto& item) { writer(item); });
    }
    append_dropped(out, "droppedAttributesCount", span.dropped_attributes);
    if (span.event_count() > 0) {
        append_events(out, span);
    }
    append_dropped(out, "droppedEventsCount", span.dropped_events);
    if (span.link_count() > 0) {
        append_links(out, span);
    }
    append_dropped(out, "droppedLinksCount", span.dropped_links);
    append_status(out, span);
    out += '}';
}

void append_otlp_resource(std::string& out, const ExportResource& resource) {
    out += '{';
    {
        AttributeWriter writer(out);
        for (const auto& attribute : resource.attributes) {
            writer.write_key(attribute.name);
            std::visit(ValueWriter{out}, attribute.value);
            out += '}';
        }
    }
    out += '}';
}

void append_otlp_json(std::string& out, const ExportResource& resource, SpanBatch batch) {
    out += R"({"resourceSpans":[{"resource":)";
    append_otlp_resource(out, resource);
    out += R"(,"scopeSpans":[)";
    bool is_first_scope = true;
    for (const SpanRecord* scope : find_scopes(batch)) {
        out += is_first_scope ? R"({"scope":{"name":)" : R"(,{"scope":{"name":)";
        is_first_scope = false;
        append_json_string(out, scope->scope_name());
        if (!scope->scope_version().empty()) {
            out += R"(,"version":)";
            append_json_string(out, scope->scope_version());
        }
        out += R"(},"spans":[)";
        bool is_first_span = true;
        for (const auto& span : batch) {
            if (is_same_scope(*scope, *span)) {
                out += is_first_span ? "" : ",";
                is_first_span = false;
                append_otlp_span(out, *span);
            }
        }
        out += ']';
        append_schema_url(out, scope->scope_schema_url());
        out += '}';
    }
    out += ']';
    append_schema_url(out, resource.schema_url);
    out += "}]}";
}

}  // namespace flowspan::exporting
