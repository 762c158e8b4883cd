#include "flowspan/base/json.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>
#include <limits>

namespace flowspan {

namespace {

// Boost keeps integers above int64 as uint64; the rest of the house knows int64 and double only.
void narrow_unsigned(json::value& value) {
    if (value.is_uint64()) {
        const auto number = value.get_uint64();
        if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            value = static_cast<std::int64_t>(number);
        } else {
            value = static_cast<double>(number);
        }
    } else if (value.is_array()) {
        for (auto& item : value.get_array()) {
            narrow_unsigned(item);
        }
    } else if (value.is_object()) {
        for (auto& member : value.get_object()) {
            narrow_unsigned(member.value());
        }
    }
}

void append_escaped(std::string& out, char byte) {
    switch (byte) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        case '\b':
            out += "\\b";
            break;
        case '\f':
            out += "\\f";
            break;
        default:
            fmt::format_to(
                std::back_inserter(out),
                FMT_COMPILE("\\u{:04x}"),
                static_cast<unsigned>(static_cast<unsigned char>(byte))
            );
    }
}

}  // namespace

Result<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = kJsonDepthMax;
    // The faster way is off by one in the last digit of some numbers: what was written down would
    // come back as something else.
    options.numbers = json::number_precision::precise;
    json::parser parser({}, options);
    boost::system::error_code code;
    const auto used = parser.write(text, code);
    if (code) {
        return failure(
            ErrorCode::invalid_input,
            "invalid JSON at byte " + std::to_string(used) + ": " + code.message()
        );
    }
    auto value = parser.release();
    narrow_unsigned(value);
    return value;
}

std::string to_json_text(const json::value& value) {
    return json::serialize(value);
}

const json::value* find_member(const json::value& value, std::string_view key) noexcept {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(key);
}

std::string_view string_member(
    const json::value& value, std::string_view key, std::string_view fallback
) noexcept {
    const auto* member = find_member(value, key);
    return member != nullptr && member->is_string() ? std::string_view(member->get_string())
                                                    : fallback;
}

const json::value* find_member(const json::object& object, std::string_view key) noexcept {
    return object.if_contains(key);
}

std::string_view string_member(
    const json::object& object, std::string_view key, std::string_view fallback
) noexcept {
    const auto* found = object.if_contains(key);
    return found == nullptr || !found->is_string() ? fallback
                                                   : std::string_view(found->get_string());
}

std::string_view string_or_empty(const json::value& value) noexcept {
    return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t copied = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            out.append(text.substr(copied, at - copied));
            append_escaped(out, text[at]);
            copied = at + 1;
        }
    }
    out.append(text.substr(copied));
    out += '"';
}

std::string_view python_type_name(const json::value& value) noexcept {
    switch (value.kind()) {
        case json::kind::null:
            return "NoneType";
        case json::kind::bool_:
            return "bool";
        case json::kind::int64:
        case json::kind::uint64:
            return "int";
        case json::kind::double_:
            return "float";
        case json::kind::string:
            return "str";
        case json::kind::array:
            return "list";
        case json::kind::object:
            return "dict";
    }
    return "object";
}

}  // namespace flowspan
