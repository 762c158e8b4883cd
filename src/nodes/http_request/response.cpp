#include "nodes/http_request/response.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/mime_types.hpp"
#include "nodes/text_encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace flowspan::nodes::http_request {

namespace {

constexpr std::array<std::string_view, 6> kTextTypes = {
    "json", "xml", "javascript", "x-www-form-urlencoded", "yaml", "graphql"
};
constexpr std::array<std::string_view, 7> kTextMarks = {
    "{", "[", "<", "function", "var ", "const ", "let "
};
// How much of a body is looked at.
constexpr std::size_t kSampleSize = 1024;

std::string header(const http::HttpResponse& response, std::string_view name) {
    const auto* value = http::find_header(response.headers, name);
    return value == nullptr ? std::string() : *value;
}

bool contains_any(std::string_view text, const auto& words) {
    return std::ranges::any_of(words, [text](std::string_view word) {
        return text.find(word) != std::string_view::npos;
    });
}

bool looks_like_text(std::string_view body) {
    // A code point that the sample cuts in two is no sign of binary data.
    const auto sample = body.size() > kSampleSize ? utf8_prefix(body, kSampleSize) : body;
    return is_valid_utf8(sample) && contains_any(sample, kTextMarks);
}

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        if (text[i] == '%' && i + 2 < text.size() + 0 &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr ==
                text.data() + i + 3) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return to_valid_utf8(out);
}

struct Disposition {
    std::string type;
    std::string filename;
};

Disposition read_disposition(std::string_view text) {
    Disposition disposition;
    const auto parts = split(text, ';');
    disposition.type = to_lower_ascii(trim(parts.front()));
    for (const auto part : parts) {
        const auto parameter = trim(part);
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        const auto name = to_lower_ascii(trim(parameter.substr(0, equals)));
        auto value = trim(parameter.substr(equals + 1));
        if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
            value = value.substr(1, value.size() - 2);
        }
        if (name == "filename*") {
            // charset'language'text, as RFC 5987 has it.
            const auto quote = value.rfind('\'');
            disposition.filename =
                percent_decode(quote == std::string_view::npos ? value : value.substr(quote + 1));
            return disposition;
        }
        if (name == "filename") {
            disposition.filename = to_valid_utf8(value);
        }
    }
    return disposition;
}

std::string_view name_in_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto slash = url.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : url.substr(slash + 1);
}

}  // namespace

bool is_file(const http::HttpResponse& response) {
    if (const auto text = header(response, "content-disposition"); !text.empty()) {
        const auto disposition = read_disposition(text);
        if (disposition.type == "attachment" || !disposition.filename.empty()) {
            return true;
        }
    }
    const auto type = to_lower_ascii(value::without_parameters(header(response, "content-type")));
    if (type.starts_with("text/") && type.find("csv") == std::string::npos) {
        return false;
    }
    if (type.starts_with("application/") &&
        (contains_any(type, kTextTypes) || looks_like_text(response.body))) {
        return false;
    }
    const auto known = value::mime_type_of_extension(value::extension_of_mime_type(type));
    if (!known.empty()) {
        const auto main = known.substr(0, known.find('/'));
        return main == "application" || main == "image" || main == "audio" || main == "video";
    }
    constexpr std::array<std::string_view, 3> kMedia = {"image/", "audio/", "video/"};
    return contains_any(type, kMedia);
}

std::string read_text(const http::HttpResponse& response) {
    const auto charset = charset_of(header(response, "content-type"));
    return decode_text(response.body, charset, BadBytes::replace);
}

FileContent to_file(http::HttpResponse response) {
    FileContent file;
    const auto disposition = read_disposition(header(response, "content-disposition"));
    const auto type = to_lower_ascii(value::without_parameters(header(response, "content-type")));
    file.filename = disposition.filename;
    if (file.filename.empty()) {
        file.filename = percent_decode(name_in_url(response.url));
    }
    file.mime_type = value::mime_type_of_extension(value::extension_of_name(disposition.filename));
    if (file.mime_type.empty()) {
        file.mime_type = type;
    }
    if (file.mime_type.empty()) {
        file.mime_type = value::mime_type_of_extension(value::extension_of_name(file.filename));
    }
    if (file.mime_type.empty()) {
        file.mime_type = "application/octet-stream";
    }
    if (file.filename.empty()) {
        file.filename = "file";
    }
    if (value::extension_of_name(file.filename).empty()) {
        const auto extension = value::extension_of_mime_type(file.mime_type);
        file.filename += extension.empty() ? ".bin" : extension;
    }
    file.bytes = std::move(response.body);
    return file;
}

std::string readable_size(std::size_t size) {
    constexpr double kKilo = 1024;
    const auto bytes = static_cast<double>(size);
    if (bytes < kKilo) {
        return fmt::format("{} bytes", size);
    }
    if (bytes < kKilo * kKilo) {
        return fmt::format("{:.2f} KB", bytes / kKilo);
    }
    return fmt::format("{:.2f} MB", bytes / kKilo / kKilo);
}

}  // namespace flowspan::nodes::http_request
