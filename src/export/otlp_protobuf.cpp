#include "export/otlp_protobuf.hpp"

#include "export/protobuf_writer.hpp"
#include "export/scope_groups.hpp"
#include "flowspan/base/text.hpp"

#include <bit>
#include <concepts>
#include <cstring>
#include <optional>

namespace flowspan::exporting {

namespace {

using opentelemetry::trace::StatusCode;
using Writer = ProtobufWriter;

// Field numbers of the messages, as opentelemetry-proto 1.x fixes them.
namespace field {
constexpr std::uint32_t kRequestResourceSpans = 1;
constexpr std::uint32_t kResourceSpansResource = 1;
constexpr std::uint32_t kResourceSpansScopeSpans = 2;
constexpr std::uint32_t kResourceSpansSchemaUrl = 3;
constexpr std::uint32_t kResourceAttributes = 1;
constexpr std::uint32_t kScopeSpansScope = 1;
constexpr std::uint32_t kScopeSpansSpans = 2;
constexpr std::uint32_t kScopeSpansSchemaUrl = 3;
constexpr std::uint32_t kScopeName = 1;
constexpr std::uint32_t kScopeVersion = 2;
constexpr std::uint32_t kSpanTraceId = 1;
constexpr std::uint32_t kSpanSpanId = 2;
constexpr std::uint32_t kSpanTraceState = 3;
constexpr std::uint32_t kSpanParentSpanId = 4;
constexpr std::uint32_t kSpanName = 5;
constexpr std::uint32_t kSpanKind = 6;
constexpr std::uint32_t kSpanStart = 7;
constexpr std::uint32_t kSpanEnd = 8;
constexpr std::uint32_t kSpanAttributes = 9;
constexpr std::uint32_t kSpanDroppedAttributes = 10;
constexpr std::uint32_t kSpanEvents = 11;
constexpr std::uint32_t kSpanDroppedEvents = 12;
constexpr std::uint32_t kSpanLinks = 13;
constexpr std::uint32_t kSpanDroppedLinks = 14;
constexpr std::uint32_t kSpanStatus = 15;
constexpr std::uint32_t kSpanFlags = 16;
constexpr std::uint32_t kEventTime = 1;
constexpr std::uint32_t kEventName = 2;
constexpr std::uint32_t kEventAttributes = 3;
constexpr std::uint32_t kEventDroppedAttributes = 4;
constexpr std::uint32_t kLinkTraceId = 1;
constexpr std::uint32_t kLinkSpanId = 2;
constexpr std::uint32_t kLinkTraceState = 3;
constexpr std::uint32_t kLinkAttributes = 4;
constexpr std::uint32_t kLinkDroppedAttributes = 5;
constexpr std::uint32_t kLinkFlags = 6;
constexpr std::uint32_t kStatusMessage = 2;
constexpr std::uint32_t kStatusCode = 3;
constexpr std::uint32_t kKeyValueKey = 1;
constexpr std::uint32_t kKeyValueValue = 2;
constexpr std::uint32_t kAnyValueString = 1;
constexpr std::uint32_t kAnyValueBool = 2;
constexpr std::uint32_t kAnyValueInt = 3;
constexpr std::uint32_t kAnyValueDouble = 4;
constexpr std::uint32_t kAnyValueArray = 5;
constexpr std::uint32_t kAnyValueBytes = 7;
constexpr std::uint32_t kArrayValues = 1;
constexpr std::uint32_t kResponsePartialSuccess = 1;
constexpr std::uint32_t kPartialRejected = 1;
constexpr std::uint32_t kPartialMessage = 2;
}  // namespace field

struct ValueWriter {
    Writer& writer;

    void operator()(bool value) const { writer.varint(field::kAnyValueBool, value ? 1 : 0); }

    void operator()(std::int64_t value) const {
        writer.varint(field::kAnyValueInt, static_cast<std::uint64_t>(value));
    }

    void operator()(double value) const {
        writer.fixed64(field::kAnyValueDouble, std::bit_cast<std::uint64_t>(value));
    }

    void operator()(std::string_view value) const { writer.bytes(field::kAnyValueString, value); }

    void operator()(ByteView value) const { writer.bytes(field::kAnyValueBytes, value.bytes); }

    template <class List>
        requires(!std::convertible_to<const List&, std::string_view>)
    void operator()(const List& values) const {
        writer.message(field::kAnyValueArray, [this, &values] {
            values.for_each([this](const auto& value) {
                writer.message(field::kArrayValues, [this, &value] { (*this)(value); });
            });
        });
    }
};

template <class Value>
void write_attribute(
    Writer& writer, std::uint32_t number, std::string_view key, const Value& value
) {
    writer.message(number, [&] {
        writer.bytes(field::kKeyValueKey, key);
        writer.message(field::kKeyValueValue, [&] { std::visit(ValueWriter{writer}, value); });
    });
}

void write_events(Writer& writer, const SpanRecord& span) {
    for (std::size_t i = 0; i < span.event_count(); ++i) {
        writer.message(field::kSpanEvents, [&] {
            const auto event = span.event(i);
            writer.fixed64(field::kEventTime, static_cast<std::uint64_t>(event.time_ns));
            writer.bytes(field::kEventName, event.name);
            span.for_each_event_attribute(i, [&writer](const AttributeView& item) {
                write_attribute(writer, field::kEventAttributes, item.key, item.value);
            });
            writer.count_unless_zero(field::kEventDroppedAttributes, event.dropped_attributes);
        });
    }
}

void write_links(Writer& writer, const SpanRecord& span) {
    for (std::size_t i = 0; i < span.link_count(); ++i) {
        writer.message(field::kSpanLinks, [&] {
            const auto link = span.link(i);
            writer.id(field::kLinkTraceId, link.trace_id);
            writer.id(field::kLinkSpanId, link.span_id);
            writer.text_unless_empty(field::kLinkTraceState, link.trace_state);
            span.for_each_link_attribute(i, [&writer](const AttributeView& item) {
                write_attribute(writer, field::kLinkAttributes, item.key, item.value);
            });
            writer.count_unless_zero(field::kLinkDroppedAttributes, link.dropped_attributes);
            writer.fixed32(field::kLinkFlags, otlp_flags(link.trace_flags, link.is_remote));
        });
    }
}

void write_span(Writer& writer, const SpanRecord& span) {
    writer.id(field::kSpanTraceId, span.trace_id);
    writer.id(field::kSpanSpanId, span.span_id);
    writer.text_unless_empty(field::kSpanTraceState, span.trace_state());
    if (span.parent_span_id.IsValid()) {
        writer.id(field::kSpanParentSpanId, span.parent_span_id);
    }
    writer.bytes(field::kSpanName, span.name());
    writer.varint(field::kSpanKind, otlp_kind(span.kind));
    writer.fixed64(field::kSpanStart, static_cast<std::uint64_t>(span.start_ns));
    writer.fixed64(field::kSpanEnd, static_cast<std::uint64_t>(span.end_ns()));
    span.for_each_attribute([&writer](const AttributeView& item) {
        write_attribute(writer, field::kSpanAttributes, item.key, item.value);
    });
    writer.count_unless_zero(field::kSpanDroppedAttributes, span.dropped_attributes);
    write_events(writer, span);
    writer.count_unless_zero(field::kSpanDroppedEvents, span.dropped_events);
    write_links(writer, span);
    writer.count_unless_zero(field::kSpanDroppedLinks, span.dropped_links);
    if (span.status() != StatusCode::kUnset) {
        writer.message(field::kSpanStatus, [&] {
            writer.text_unless_empty(field::kStatusMessage, span.status_description());
            writer.varint(field::kStatusCode, static_cast<std::uint32_t>(span.status()));
        });
    }
    writer.fixed32(field::kSpanFlags, otlp_flags(span.trace_flags, span.is_parent_remote));
}

void write_scope_spans(Writer& writer, const SpanRecord& scope, SpanBatch batch) {
    writer.message(field::kScopeSpansScope, [&] {
        writer.bytes(field::kScopeName, scope.scope_name());
        writer.text_unless_empty(field::kScopeVersion, scope.scope_version());
    });
    for (const auto& span : batch) {
        if (is_same_scope(scope, *span)) {
            writer.message(field::kScopeSpansSpans, [&] { write_span(writer, *span); });
        }
    }
    writer.text_unless_empty(field::kScopeSpansSchemaUrl, scope.scope_schema_url());
}

// Reads the fields of one message, in order; stops at the first that is malformed.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    struct Field {
        std::uint64_t number = 0;
        std::uint64_t value = 0;  // of varints
        std::string_view bytes;   // of messages and texts
    };

    std::optional<Field> next() {
        const auto tag = varint();
        if (!tag) {
            return std::nullopt;
        }
        Field result;
        result.number = *tag >> 3U;
        switch (static_cast<Wire>(*tag & 7U)) {
            case Wire::varint: {
                const auto value = varint();
                result.value = value.value_or(0);
                return value ? std::optional(result) : std::nullopt;
            }
            case Wire::bytes: {
                const auto size = varint();
                return size && take(*size, result.bytes) ? std::optional(result) : std::nullopt;
            }
            case Wire::fixed64:
                return take(8, result.bytes) ? std::optional(result) : std::nullopt;
            case Wire::fixed32:
                return take(4, result.bytes) ? std::optional(result) : std::nullopt;
        }
        return std::nullopt;
    }

private:
    bool take(std::uint64_t size, std::string_view& bytes) {
        if (size > rest_.size()) {
            return false;
        }
        bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }

    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80) {
                return value;
            }
        }
        return std::nullopt;
    }

    std::string_view rest_;
};

}  // namespace

void append_otlp_protobuf(std::string& out, const ExportResource& resource, SpanBatch batch) {
    Writer writer(out);
    writer.message(field::kRequestResourceSpans, [&] {
        writer.message(field::kResourceSpansResource, [&] {
            for (const auto& item : resource.attributes) {
                write_attribute(writer, field::kResourceAttributes, item.name, item.value);
            }
        });
        for (const SpanRecord* scope : find_scopes(batch)) {
            writer.message(field::kResourceSpansScopeSpans, [&] {
                write_scope_spans(writer, *scope, batch);
            });
        }
        writer.text_unless_empty(field::kResourceSpansSchemaUrl, resource.schema_url);
    });
}

ExportReceipt parse_otlp_response(std::string_view body) {
    ExportReceipt receipt;
    Reader response(body);
    while (const auto part = response.next()) {
        if (part->number != field::kResponsePartialSuccess) {
            continue;
        }
        Reader partial(part->bytes);
        while (const auto item = partial.next()) {
            if (item->number == field::kPartialRejected &&
                static_cast<std::int64_t>(item->value) > 0) {
                receipt.rejected = item->value;
            } else if (item->number == field::kPartialMessage) {
                receipt.reason = to_valid_utf8(item->bytes);
            }
        }
    }
    return receipt;
}

}  // namespace flowspan::exporting
