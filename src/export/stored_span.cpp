#include "export/stored_span.hpp"

#include "export/otlp_json.hpp"
#include "flowspan/base/json.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <vector>

namespace flowspan::exporting {

namespace {

namespace otel = opentelemetry::trace;

// What is stored was limited when it was recorded; reading must not limit it again.
constexpr SpanLimits kUnlimited{
    .attributes_max = std::numeric_limits<std::size_t>::max(),
    .events_max = std::numeric_limits<std::size_t>::max(),
    .links_max = std::numeric_limits<std::size_t>::max(),
    .event_attributes_max = std::numeric_limits<std::size_t>::max(),
    .link_attributes_max = std::numeric_limits<std::size_t>::max(),
    .value_length_max = 0,
    .span_bytes_max = std::numeric_limits<std::uint32_t>::max(),
};

template <class Id>
std::string hex_of(const Id& id) {
    std::array<char, 2 * Id::kSize> digits{};
    id.ToLowerBase16(digits);
    return {digits.data(), digits.size()};
}

int hex_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

template <class Id>
Id id_from(std::string_view text) noexcept {
    std::array<std::uint8_t, Id::kSize> bytes{};
    if (text.size() != 2 * bytes.size()) {
        return {};
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return {};
        }
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return Id(opentelemetry::nostd::span<const std::uint8_t, Id::kSize>(bytes.data(), bytes.size())
    );
}

// 64-bit integers are text in OTLP JSON.
std::int64_t integer_from(const json::value* value) noexcept {
    if (value == nullptr) {
        return 0;
    }
    if (value->is_int64()) {
        return value->get_int64();
    }
    std::int64_t number = 0;
    const auto text = string_or_empty(*value);
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

double double_from(const json::value& value) noexcept {
    if (value.is_double()) {
        return value.get_double();
    }
    if (value.is_int64()) {
        return static_cast<double>(value.get_int64());
    }
    const auto text = string_or_empty(value);
    if (text == "NaN") {
        return std::numeric_limits<double>::quiet_NaN();
    }
    return text.starts_with('-') ? -std::numeric_limits<double>::infinity()
                                 : std::numeric_limits<double>::infinity();
}

std::string bytes_from(std::string_view base64) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : base64) {
        std::uint32_t digit = 0;
        if (c >= 'A' && c <= 'Z') {
            digit = static_cast<std::uint32_t>(c - 'A');
        } else if (c >= 'a' && c <= 'z') {
            digit = static_cast<std::uint32_t>(c - 'a') + 26;
        } else if (c >= '0' && c <= '9') {
            digit = static_cast<std::uint32_t>(c - '0') + 52;
        } else if (c == '+' || c == '/') {
            digit = c == '+' ? 62 : 63;
        } else {
            break;
        }
        bits = (bits << 6U) | digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
        }
    }
    return bytes;
}

const json::array& items_of(const json::value* value) {
    static const json::array kNone;
    return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

// A list has one element type; the first element tells it.
template <class Function>
void with_list(const json::array& items, Function function) {
    const auto* first =
        items.empty() || !items.front().is_object() ? nullptr : &items.front().get_object();
    const auto each = [&items](const char* key, auto read) {
        std::vector<decltype(read(json::value()))> values;
        values.reserve(items.size());
        for (const auto& item : items) {
            const auto* found = find_member(item, key);
            values.push_back(read(found == nullptr ? json::value() : *found));
        }
        return values;
    };
    if (first == nullptr || first->contains("stringValue")) {
        std::vector<std::string_view> texts;
        for (const auto& item : items) {
            texts.push_back(string_member(item, "stringValue"));
        }
        function(std::span<const std::string_view>(texts));
    } else if (first->contains("intValue")) {
        const auto values =
            each("intValue", [](const json::value& item) { return integer_from(&item); });
        function(std::span<const std::int64_t>(values));
    } else if (first->contains("doubleValue")) {
        const auto values =
            each("doubleValue", [](const json::value& item) { return double_from(item); });
        function(std::span<const double>(values));
    } else {
        // std::vector<bool> has no contiguous elements.
        const auto flags = std::make_unique<bool[]>(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto* flag = find_member(items[i], "boolValue");
            flags[i] = flag != nullptr && flag->is_bool() && flag->get_bool();
        }
        function(std::span<const bool>(flags.get(), items.size()));
    }
}

template <class Function>
void with_value(const json::value& value, Function function) {
    if (const auto* text = find_member(value, "stringValue")) {
        function(string_or_empty(*text));
    } else if (const auto* number = find_member(value, "intValue")) {
        function(integer_from(number));
    } else if (const auto* real = find_member(value, "doubleValue")) {
        function(double_from(*real));
    } else if (const auto* flag = find_member(value, "boolValue")) {
        function(flag->is_bool() && flag->get_bool());
    } else if (const auto* bytes = find_member(value, "bytesValue")) {
        const auto decoded = bytes_from(string_or_empty(*bytes));
        function(ByteView{decoded});
    } else if (const auto* list = find_member(value, "arrayValue")) {
        with_list(items_of(find_member(*list, "values")), function);
    }
}

template <class Function>
void for_each_attribute(const json::value& owner, Function function) {
    for (const auto& item : items_of(find_member(owner, "attributes"))) {
        const auto key = string_member(item, "key");
        if (const auto* value = find_member(item, "value")) {
            with_value(*value, [&](auto converted) {
                function(key, SpanRecord::Value(converted));
            });
        }
    }
}

std::uint32_t dropped(const json::value& owner, std::string_view key) noexcept {
    return static_cast<std::uint32_t>(integer_from(find_member(owner, key)));
}

void read_events(const json::value& span, SpanRecord& record) {
    for (const auto& event : items_of(find_member(span, "events"))) {
        record.begin_event(
            string_member(event, "name"),
            integer_from(find_member(event, "timeUnixNano")),
            kUnlimited
        );
        for_each_attribute(event, [&record](std::string_view key, const auto& value) {
            record.add_event_attribute(key, value, kUnlimited);
        });
    }
}

constexpr std::uint32_t kRemoteBit = 0x200;

void read_links(const json::value& span, SpanRecord& record) {
    for (const auto& link : items_of(find_member(span, "links"))) {
        const auto flags = static_cast<std::uint32_t>(integer_from(find_member(link, "flags")));
        record.begin_link(
            {
                .trace_id = id_from<otel::TraceId>(string_member(link, "traceId")),
                .span_id = id_from<otel::SpanId>(string_member(link, "spanId")),
                .trace_state = string_member(link, "traceState"),
                .trace_flags = static_cast<std::uint8_t>(flags),
                .is_remote = (flags & kRemoteBit) != 0,
            },
            kUnlimited
        );
        for_each_attribute(link, [&record](std::string_view key, const auto& value) {
            record.add_link_attribute(key, value, kUnlimited);
        });
    }
}

void read_identity(const json::value& span, SpanRecord& record) {
    record.trace_id = id_from<otel::TraceId>(string_member(span, "traceId"));
    record.span_id = id_from<otel::SpanId>(string_member(span, "spanId"));
    record.parent_span_id = id_from<otel::SpanId>(string_member(span, "parentSpanId"));
    const auto flags = static_cast<std::uint32_t>(integer_from(find_member(span, "flags")));
    record.trace_flags = static_cast<std::uint8_t>(flags);
    record.is_parent_remote = (flags & kRemoteBit) != 0;
    // OTLP counts kinds from 1.
    const auto kind = integer_from(find_member(span, "kind"));
    record.kind = static_cast<otel::SpanKind>(kind > 0 ? kind - 1 : 0);
    record.start_ns = integer_from(find_member(span, "startTimeUnixNano"));
    const auto end_ns = integer_from(find_member(span, "endTimeUnixNano"));
    record.is_open = end_ns == 0;
    record.duration_ns = end_ns == 0 ? 0 : end_ns - record.start_ns;
    record.set_name(string_member(span, "name"));
    record.set_trace_state(string_member(span, "traceState"));
    record.dropped_attributes = dropped(span, "droppedAttributesCount");
    record.dropped_events = dropped(span, "droppedEventsCount");
    record.dropped_links = dropped(span, "droppedLinksCount");
}

}  // namespace

std::string to_hex(const otel::TraceId& id) {
    return hex_of(id);
}

std::string to_hex(const otel::SpanId& id) {
    return id.IsValid() ? hex_of(id) : std::string();
}

std::string write_stored_span(const SpanRecord& span) {
    std::string out = R"({"scope":{"name":)";
    append_json_string(out, span.scope_name());
    out += R"(,"version":)";
    append_json_string(out, span.scope_version());
    out += R"(},"schemaUrl":)";
    append_json_string(out, span.scope_schema_url());
    out += R"(,"span":)";
    append_otlp_span(out, span);
    out += '}';
    return out;
}

Result<std::shared_ptr<SpanRecord>> read_stored_span(std::string_view text) {
    FLOWSPAN_TRY(const auto document, parse_json(text));
    const auto* span = find_member(document, "span");
    const auto* scope = find_member(document, "scope");
    if (span == nullptr || scope == nullptr) {
        return failure(ErrorCode::invalid_input, "a stored span cannot be read");
    }
    auto record = std::make_shared<SpanRecord>();
    read_identity(*span, *record);
    record->set_scope(
        string_member(*scope, "name"),
        string_member(*scope, "version"),
        string_member(document, "schemaUrl")
    );
    for_each_attribute(*span, [&record](std::string_view key, const auto& value) {
        record->set_attribute(key, value, kUnlimited);
    });
    read_events(*span, *record);
    read_links(*span, *record);
    if (const auto* status = find_member(*span, "status")) {
        record->set_status(
            static_cast<otel::StatusCode>(integer_from(find_member(*status, "code"))),
            string_member(*status, "message")
        );
    }
    return record;
}

std::string write_stored_resource(const ExportResource& resource) {
    std::string out = R"({"resource":)";
    append_otlp_resource(out, resource);
    out += R"(,"schemaUrl":)";
    append_json_string(out, resource.schema_url);
    out += '}';
    return out;
}

namespace {

struct ResourceValueReader {
    ExportResource& resource;
    std::string_view key;

    void add(auto value) const { resource.attributes.push_back({std::string(key), value}); }

    void operator()(bool value) const { add(value); }

    void operator()(std::int64_t value) const { add(value); }

    void operator()(double value) const { add(value); }

    void operator()(std::string_view value) const { add(std::string(value)); }

    // A resource has no other types.
    void operator()(const auto& /*other*/) const {}
};

}  // namespace

Result<ExportResource> read_stored_resource(std::string_view text) {
    FLOWSPAN_TRY(const auto document, parse_json(text));
    const auto* stored = find_member(document, "resource");
    if (stored == nullptr) {
        return failure(ErrorCode::invalid_input, "a stored resource cannot be read");
    }
    ExportResource resource;
    resource.schema_url = string_member(document, "schemaUrl");
    for_each_attribute(*stored, [&resource](std::string_view key, const SpanRecord::Value& value) {
        std::visit(ResourceValueReader{resource, key}, value);
    });
    return resource;
}

}  // namespace flowspan::exporting
