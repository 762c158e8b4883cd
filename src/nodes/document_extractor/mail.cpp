#include "nodes/document_extractor/mail.hpp"

#include "flowspan/base/text.hpp"
#include "nodes/document_extractor/plain_formats.hpp"
#include "nodes/document_extractor/xml_walk.hpp"
#include "nodes/text_encoding.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace flowspan::nodes::document_extractor {

namespace {

// Parts within parts; mail programs write three or four.
constexpr int kDepthMax = 20;
constexpr int kPartsMax = 1000;

struct Header {
    std::string name;  ///< lower case
    std::string value;
};

struct Message {
    std::vector<Header> headers;
    std::string_view body;

    [[nodiscard]] std::string header(std::string_view name) const {
        for (const auto& one : headers) {
            if (one.name == name) {
                return one.value;
            }
        }
        return {};
    }
};

/// Takes one line, without its end, off the front.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

Message parse_message(std::string_view bytes) {
    Message message;
    while (!bytes.empty()) {
        const auto line = take_line(bytes);
        if (line.empty()) {
            break;
        }
        const auto colon = line.find(':');
        if ((line.front() == ' ' || line.front() == '\t') && !message.headers.empty()) {
            message.headers.back().value.append(" ").append(trim(line));
        } else if (colon != std::string_view::npos) {
            message.headers.push_back(
                {to_lower_ascii(trim(line.substr(0, colon))),
                 std::string(trim(line.substr(colon + 1)))}
            );
        }
    }
    message.body = bytes;
    return message;
}

std::string parameter(std::string_view header, std::string_view name) {
    for (const auto part : split(header, ';')) {
        const auto text = trim(part);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos ||
            !equals_ignore_case(trim(text.substr(0, equals)), name)) {
            continue;
        }
        auto value = trim(text.substr(equals + 1));
        if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
            value = value.substr(1, value.size() - 2);
        }
        return std::string(value);
    }
    return {};
}

std::string decode_quoted_printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto line = take_line(text);
        bool is_soft = false;
        for (std::size_t i = 0; i < line.size(); ++i) {
            unsigned byte = 0;
            const auto* digits = line.data() + i + 1;
            if (line[i] != '=') {
                out += line[i];
            } else if (trim(line.substr(i + 1)).empty()) {
                is_soft = true;
                break;
            } else if (i + 2 < line.size() &&
                       std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
                out += static_cast<char>(byte);
                i += 2;
            } else {
                out += '=';
            }
        }
        if (!is_soft && !text.empty()) {
            out += '\n';
        }
    }
    return out;
}

std::string decode_base64(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        std::uint32_t six = 0;
        if (c >= 'A' && c <= 'Z') {
            six = static_cast<std::uint32_t>(c - 'A');
        } else if (c >= 'a' && c <= 'z') {
            six = static_cast<std::uint32_t>(c - 'a') + 26;
        } else if (c >= '0' && c <= '9') {
            six = static_cast<std::uint32_t>(c - '0') + 52;
        } else if (c == '+' || c == '/') {
            six = c == '+' ? 62 : 63;
        } else if (c == '=') {
            break;
        } else {
            continue;
        }
        bits = bits << 6U | six;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU);
        }
    }
    return out;
}

std::string decode_body(const Message& part) {
    const auto encoding = to_lower_ascii(trim(part.header("content-transfer-encoding")));
    std::string bytes = encoding == "base64"             ? decode_base64(part.body)
                        : encoding == "quoted-printable" ? decode_quoted_printable(part.body)
                                                         : std::string(part.body);
    return decode_text(bytes, charset_of(part.header("content-type")), BadBytes::drop);
}

std::vector<std::string_view> split_parts(std::string_view body, const std::string& boundary) {
    const std::string mark = "--" + boundary;
    std::vector<std::string_view> parts;
    std::optional<const char*> start;
    while (!body.empty()) {
        const auto* at = body.data();
        const auto line = take_line(body);
        if (!line.starts_with(mark)) {
            continue;
        }
        if (start && at >= *start) {
            parts.emplace_back(*start, static_cast<std::size_t>(at - *start));
        }
        start = body.data();
        if (line.substr(mark.size()).starts_with("--")) {
            return parts;
        }
    }
    if (start) {
        parts.emplace_back(*start, static_cast<std::size_t>(body.data() - *start));
    }
    return parts;
}

/// What the text parts hold, apart by their form.
struct Texts {
    std::string plain;
    std::string html;
    int parts_left = kPartsMax;
};

void append(std::string& out, std::string_view text) {
    out.append(out.empty() || out.ends_with('\n') ? "" : "\n").append(text);
}

// NOLINTNEXTLINE(misc-no-recursion): at most kDepthMax deep.
void collect(const Message& message, int depth, Texts& texts) {
    if (depth > kDepthMax || --texts.parts_left < 0) {
        return;
    }
    const auto content_type = message.header("content-type");
    const auto type = to_lower_ascii(trim(content_type.substr(0, content_type.find(';'))));
    if (type.starts_with("multipart/")) {
        const auto boundary = parameter(content_type, "boundary");
        if (boundary.empty()) {
            return;
        }
        for (const auto part : split_parts(message.body, boundary)) {
            collect(parse_message(part), depth + 1, texts);
        }
        return;
    }
    const auto disposition = to_lower_ascii(message.header("content-disposition"));
    if (disposition.starts_with("attachment")) {
        return;
    }
    if (type.empty() || type == "text/plain") {
        append(texts.plain, decode_body(message));
    } else if (type == "text/html") {
        append(texts.html, decode_body(message));
    }
}

}  // namespace

Result<std::string> read_mail(std::string_view bytes) {
    const auto message = parse_message(bytes);
    if (message.headers.empty()) {
        return failure(ErrorCode::invalid_input, "the message has no headers");
    }
    Texts texts;
    collect(message, 0, texts);
    std::string out;
    if (!trim(texts.plain).empty()) {
        for (const auto line : split_lines(texts.plain)) {
            const auto text = trim(line);
            if (!text.empty()) {
                out.append(out.empty() ? "" : "\n").append(text);
            }
        }
        return out;
    }
    pugi::xml_document document;
    parse_xhtml(document, texts.html);
    append_xhtml_text(out, document.root());
    return out;
}

}  // namespace flowspan::nodes::document_extractor
