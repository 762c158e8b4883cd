#pragma once
// What requests for metrics and logs share: resource, scope, attributes.

#include "export/protobuf_writer.hpp"
#include "export/span_sink.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/trace/tracer.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <variant>

namespace flowspan::exporting {

/// An AnyValue's fields.
struct AnyValueWriter {
    ProtobufWriter& writer;

    void operator()(std::string_view value) const { writer.bytes(1, value); }

    void operator()(const std::string& value) const { writer.bytes(1, value); }

    void operator()(bool value) const { writer.varint(2, value ? 1 : 0); }

    void operator()(std::int64_t value) const {
        writer.varint(3, static_cast<std::uint64_t>(value));
    }

    void operator()(double value) const { writer.fixed64(4, std::bit_cast<std::uint64_t>(value)); }

    // Null is a value without content.
    void operator()(const json::value& value) const {
        if (const auto* items = value.if_array()) {
            writer.message(5, [&] {
                for (const auto& item : *items) {
                    writer.message(1, [&] { (*this)(item); });
                }
            });
        } else if (const auto* members = value.if_object()) {
            writer.message(6, [&] {
                for (const auto& [name, member] : *members) {
                    writer.message(1, [&] {
                        writer.bytes(1, name);
                        writer.message(2, [&] { (*this)(member); });
                    });
                }
            });
        } else {
            write_scalar(value);
        }
    }

private:
    void write_scalar(const json::value& value) const {
        if (const auto* text = value.if_string()) {
            (*this)(std::string_view(*text));
        } else if (const auto* flag = value.if_bool()) {
            (*this)(*flag);
        } else if (const auto* number = value.if_double()) {
            (*this)(*number);
        } else if (const auto* integer = value.if_int64()) {
            (*this)(*integer);
        } else if (const auto* large = value.if_uint64()) {
            writer.varint(3, *large);
        }
    }
};

template <class Value>
void write_key_value(
    ProtobufWriter& writer, std::uint32_t number, std::string_view key, const Value& value
) {
    writer.message(number, [&] {
        writer.bytes(1, key);
        writer.message(2, [&] { std::visit(AnyValueWriter{writer}, value); });
    });
}

/// `Resource{Metrics,Logs}` with one scope of ours; `write_items` writes the scope's items.
template <class WriteItems>
void write_resource_and_scope(
    ProtobufWriter& writer, const ExportResource& resource, const WriteItems& write_items
) {
    writer.message(1, [&] {
        writer.message(1, [&] {
            for (const auto& attribute : resource.attributes) {
                write_key_value(writer, 1, attribute.name, attribute.value);
            }
        });
        writer.message(2, [&] {
            writer.message(1, [&] {
                writer.bytes(1, trace::kInstrumentationName);
                writer.bytes(2, trace::instrumentation_version());
            });
            write_items();
            writer.bytes(3, trace::kSchemaUrl);
        });
        writer.text_unless_empty(3, resource.schema_url);
    });
}

struct AnyValueJson {
    json::value operator()(std::string_view value) const {
        return json::object{{"stringValue", value}};
    }

    json::value operator()(const std::string& value) const {
        return json::object{{"stringValue", value}};
    }

    json::value operator()(bool value) const { return json::object{{"boolValue", value}}; }

    // 64-bit integers are texts in OTLP JSON.
    json::value operator()(std::int64_t value) const {
        return json::object{{"intValue", fmt::format("{}", value)}};
    }

    json::value operator()(double value) const { return json::object{{"doubleValue", value}}; }

    // Null is a value without content.
    json::value operator()(const json::value& value) const {
        if (const auto* items = value.if_array()) {
            json::array values;
            for (const auto& item : *items) {
                values.push_back((*this)(item));
            }
            return json::object{{"arrayValue", json::object{{"values", std::move(values)}}}};
        }
        if (const auto* members = value.if_object()) {
            json::array values;
            for (const auto& [name, member] : *members) {
                values.push_back(json::object{{"key", name}, {"value", (*this)(member)}});
            }
            return json::object{{"kvlistValue", json::object{{"values", std::move(values)}}}};
        }
        return scalar(value);
    }

private:
    json::value scalar(const json::value& value) const {
        if (const auto* text = value.if_string()) {
            return (*this)(std::string_view(*text));
        }
        if (const auto* flag = value.if_bool()) {
            return (*this)(*flag);
        }
        if (const auto* number = value.if_double()) {
            return (*this)(*number);
        }
        return value.is_null() ? json::value(json::object())
                               : json::value(json::object{{"intValue", to_json_text(value)}});
    }
};

template <class Value>
json::object key_value_json(std::string_view key, const Value& value) {
    return {{"key", key}, {"value", std::visit(AnyValueJson{}, value)}};
}

/// `items_key`: `metrics` or `logRecords`; `outer` and `inner`: `resourceMetrics`, `scopeMetrics`.
inline json::object request_json(
    const ExportResource& resource,
    std::string_view outer,
    std::string_view inner,
    json::object items
) {
    json::array attributes;
    for (const auto& attribute : resource.attributes) {
        attributes.push_back(key_value_json(attribute.name, attribute.value));
    }
    items["scope"] = json::object{
        {"name", trace::kInstrumentationName}, {"version", trace::instrumentation_version()}
    };
    items["schemaUrl"] = trace::kSchemaUrl;
    json::object group{
        {"resource", json::object{{"attributes", std::move(attributes)}}},
        {inner, json::array{std::move(items)}},
    };
    if (!resource.schema_url.empty()) {
        group["schemaUrl"] = resource.schema_url;
    }
    return {{outer, json::array{std::move(group)}}};
}

template <class Id>
std::string to_hex(const Id& id) {
    std::array<char, 2 * Id::kSize> digits{};
    id.ToLowerBase16(digits);
    return {digits.data(), digits.size()};
}

}  // namespace flowspan::exporting
