// The text, markdown and log forms of values. Texts that reach a prompt or an answer must read as
// they do in apps written against Python, hence Python's spelling of numbers, lists and mappings.

#include "flowspan/base/text.hpp"
#include "flowspan/value/file.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace flowspan::value {

namespace {

// Code points that Python's `repr` escapes: controls, formats, separators other than the space,
// private use, surrogates, non-characters. Code points that Unicode has not assigned yet are left
// as they are; which ones those are changes with every Python release.
constexpr std::array<std::pair<char32_t, char32_t>, 31> kNotPrintable = {{
    {0x0000, 0x001F},   {0x007F, 0x00A0},   {0x00AD, 0x00AD},    {0x0600, 0x0605},
    {0x061C, 0x061C},   {0x06DD, 0x06DD},   {0x070F, 0x070F},    {0x0890, 0x0891},
    {0x08E2, 0x08E2},   {0x1680, 0x1680},   {0x180E, 0x180E},    {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x206F},   {0x3000, 0x3000},    {0xD800, 0xF8FF},
    {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},   {0xFFF0, 0xFFFB},    {0xFFFE, 0xFFFF},
    {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F},  {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0x1FFFE, 0x1FFFF}, {0x2FFFE, 0x2FFFF},  {0x3FFFE, 0x3FFFF},
    {0xE0000, 0xE00FF}, {0xE01F0, 0xEFFFF}, {0xF0000, 0x10FFFF},
}};

bool is_printable(char32_t c) noexcept {
    const auto* range = std::ranges::lower_bound(kNotPrintable, c, {}, [](const auto& entry) {
        return entry.second;
    });
    return range == kNotPrintable.end() || c < range->first;
}

// Decodes one multi-byte code point of valid UTF-8 and its length.
std::pair<char32_t, std::size_t> decode(std::string_view text) noexcept {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first < 0xE0 ? 2 : (first < 0xF0 ? 3 : 4);
    char32_t code_point = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length && i < text.size(); ++i) {
        code_point = (code_point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    return {code_point, std::min(length, text.size())};
}

void append_escaped(std::string& out, char32_t c) {
    if (c <= 0xFF) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint32_t>(c));
    } else if (c <= 0xFFFF) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(c));
    } else {
        fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<std::uint32_t>(c));
    }
}

void append_repr_text(std::string& out, std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    const bool has_double = text.find('"') != std::string_view::npos;
    const char quote = has_single && !has_double ? '"' : '\'';
    out += quote;
    while (!text.empty()) {
        const char c = text[0];
        if (static_cast<unsigned char>(c) >= 0x80) {
            const auto [code_point, length] = decode(text);
            if (is_printable(code_point)) {
                out.append(text.substr(0, length));
            } else {
                append_escaped(out, code_point);
            }
            text.remove_prefix(length);
            continue;
        }
        if (c == quote || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c < ' ' || c == '\x7F') {
            append_escaped(out, static_cast<unsigned char>(c));
        } else {
            out += c;
        }
        text.remove_prefix(1);
    }
    out += quote;
}

void append_float(std::string& out, double number) {
    if (std::isnan(number)) {
        out += "nan";
        return;
    }
    if (std::isinf(number)) {
        out += number < 0 ? "-inf" : "inf";
        return;
    }
    // 17 digits, sign, point and exponent fit well.
    std::array<char, 40> buffer{};
    const auto written = std::to_chars(
        buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific
    );
    const std::string_view scientific(buffer.data(), written.ptr);
    const auto mark = scientific.find('e');
    auto mantissa = scientific.substr(0, mark);
    if (mantissa.starts_with('-')) {
        out += '-';
        mantissa.remove_prefix(1);
    }
    int exponent = 0;
    const auto* exponent_text = scientific.data() + mark + 1;
    exponent_text += *exponent_text == '+' ? 1 : 0;
    std::from_chars(exponent_text, written.ptr, exponent);
    std::string digits(1, mantissa[0]);
    digits.append(mantissa.substr(std::min<std::size_t>(2, mantissa.size())));

    // Python switches to an exponent outside 1e-4 <= x < 1e16.
    if (exponent < -4 || exponent >= 16) {
        out.append(mantissa);
        fmt::format_to(
            std::back_inserter(out), "e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent)
        );
    } else if (exponent < 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-exponent - 1), '0');
        out += digits;
    } else {
        const auto whole = static_cast<std::size_t>(exponent) + 1;
        if (digits.size() < whole) {
            digits.append(whole - digits.size(), '0');
        }
        out.append(digits, 0, whole);
        out += '.';
        out += digits.size() == whole ? "0" : digits.substr(whole);
    }
}

void append_integer(std::string& out, const json::value& data) {
    if (data.is_uint64()) {
        fmt::format_to(std::back_inserter(out), "{}", data.get_uint64());
    } else {
        fmt::format_to(std::back_inserter(out), "{}", data.get_int64());
    }
}

void append_repr(std::string& out, const json::value& data) {
    switch (data.kind()) {
        case json::kind::null:
            out += "None";
            return;
        case json::kind::bool_:
            out += data.get_bool() ? "True" : "False";
            return;
        case json::kind::int64:
        case json::kind::uint64:
            append_integer(out, data);
            return;
        case json::kind::double_:
            append_float(out, data.get_double());
            return;
        case json::kind::string:
            append_repr_text(out, data.get_string());
            return;
        case json::kind::array: {
            out += '[';
            bool is_first = true;
            for (const auto& item : data.get_array()) {
                out += std::exchange(is_first, false) ? "" : ", ";
                append_repr(out, item);
            }
            out += ']';
            return;
        }
        case json::kind::object: {
            out += '{';
            bool is_first = true;
            for (const auto& member : data.get_object()) {
                out += std::exchange(is_first, false) ? "" : ", ";
                append_repr_text(out, member.key());
                out += ": ";
                append_repr(out, member.value());
            }
            out += '}';
            return;
        }
    }
}

void append_str(std::string& out, const json::value& data) {
    if (data.is_string()) {
        out.append(data.get_string());
    } else {
        append_repr(out, data);
    }
}

// Writes JSON as Python's `json.dumps(..., ensure_ascii=False)` lays it out.
class PythonJsonWriter {
public:
    PythonJsonWriter(std::string& out, int indent) : out_(out), indent_(indent) {}

    void write(const json::value& data) {
        switch (data.kind()) {
            case json::kind::null:
                out_ += "null";
                return;
            case json::kind::bool_:
                out_ += data.get_bool() ? "true" : "false";
                return;
            case json::kind::int64:
            case json::kind::uint64:
                append_integer(out_, data);
                return;
            case json::kind::double_:
                write_float(data.get_double());
                return;
            case json::kind::string:
                append_json_string(out_, data.get_string());
                return;
            case json::kind::array:
                write_array(data.get_array());
                return;
            case json::kind::object:
                write_object(data.get_object());
                return;
        }
    }

private:
    void write_float(double number) {
        if (std::isfinite(number)) {
            append_float(out_, number);
        } else {
            out_ += std::isnan(number) ? "NaN" : (number < 0 ? "-Infinity" : "Infinity");
        }
    }

    void write_array(const json::array& items) {
        if (items.empty()) {
            out_ += "[]";
            return;
        }
        out_ += '[';
        ++level_;
        bool is_first = true;
        for (const auto& item : items) {
            separate(std::exchange(is_first, false));
            write(item);
        }
        close(']');
    }

    void write_object(const json::object& members) {
        if (members.empty()) {
            out_ += "{}";
            return;
        }
        out_ += '{';
        ++level_;
        bool is_first = true;
        for (const auto& member : members) {
            separate(std::exchange(is_first, false));
            append_json_string(out_, member.key());
            out_ += ": ";
            write(member.value());
        }
        close('}');
    }

    void separate(bool is_first) {
        if (indent_ > 0) {
            out_ += is_first ? "" : ",";
            start_line();
        } else if (!is_first) {
            out_ += ", ";
        }
    }

    void close(char bracket) {
        --level_;
        if (indent_ > 0) {
            start_line();
        }
        out_ += bracket;
    }

    void start_line() {
        out_ += '\n';
        out_.append(static_cast<std::size_t>(indent_) * level_, ' ');
    }

    std::string& out_;
    int indent_;
    std::size_t level_ = 0;
};

void append_json(std::string& out, const json::value& data, int indent) {
    PythonJsonWriter(out, indent).write(data);
}

void append_file_markdown(std::string& out, const json::value& record) {
    const auto name = string_member(record, "filename");
    const auto url = file_url(record);
    if (string_member(record, "type") == "image") {
        fmt::format_to(std::back_inserter(out), "![{}]({})", name, url);
    } else {
        fmt::format_to(std::back_inserter(out), "[{}]({})", name.empty() ? url : name, url);
    }
}

std::string mask(std::string_view secret) {
    if (secret.empty()) {
        return {};
    }
    const auto length = count_code_points(secret);
    if (length <= 8) {
        return std::string(20, '*');
    }
    std::string masked(code_point_prefix(secret, 6));
    masked.append(12, '*');
    masked.append(secret.substr(code_point_prefix(secret, length - 2).size()));
    return masked;
}

}  // namespace

void Value::append_text(std::string& out) const {
    switch (type_) {
        case ValueType::none:
        case ValueType::file:
        case ValueType::array_file:
            return;
        case ValueType::object:
            append_json(out, *data_, 0);
            return;
        case ValueType::array_string:
            if (is_truthy()) {
                append_json(out, *data_, 0);
            }
            return;
        case ValueType::array_any:
        case ValueType::array_number:
        case ValueType::array_object:
        case ValueType::array_boolean:
            if (is_truthy()) {
                append_repr(out, *data_);
            }
            return;
        default:
            append_str(out, *data_);
    }
}

void Value::append_markdown(std::string& out) const {
    if (type_ == ValueType::object) {
        append_json(out, *data_, 2);
    } else if (type_ == ValueType::file) {
        append_file_markdown(out, *data_);
    } else if (is_array(type_) && data_->is_array()) {
        bool is_first = true;
        for (const auto& item : data_->get_array()) {
            out += std::exchange(is_first, false) ? "" : "\n";
            if (type_ == ValueType::array_file) {
                append_file_markdown(out, item);
            } else {
                out += "- ";
                append_str(out, item);
            }
        }
    } else {
        append_text(out);
    }
}

std::string Value::to_text() const {
    std::string out;
    append_text(out);
    return out;
}

std::string Value::to_markdown() const {
    std::string out;
    append_markdown(out);
    return out;
}

std::string Value::to_log() const {
    if (type_ == ValueType::secret) {
        return mask(text());
    }
    if (type_ == ValueType::object) {
        return python_json(*data_, 2);
    }
    if (is_array(type_) && type_ != ValueType::array_file) {
        return python_repr(*data_);
    }
    return to_text();
}

std::string python_str(const json::value& data) {
    std::string out;
    append_str(out, data);
    return out;
}

std::string python_repr(const json::value& data) {
    std::string out;
    append_repr(out, data);
    return out;
}

std::string python_json(const json::value& data, int indent) {
    std::string out;
    append_json(out, data, indent);
    return out;
}

std::string python_float(double number) {
    std::string out;
    append_float(out, number);
    return out;
}

}  // namespace flowspan::value
