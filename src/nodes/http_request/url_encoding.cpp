#include "nodes/http_request/url_encoding.hpp"

namespace flowspan::nodes::http_request {

namespace {

void append_encoded(char c, std::string& out) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string encode_query(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            append_encoded(c, out);
        }
    }
    return out;
}

std::string encode_form(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == ' ') {
            out += '+';
        } else if (is_unreserved(c) && c != '~') {
            out += c;
        } else {
            append_encoded(c, out);
        }
    }
    return out;
}

std::string encode_url(std::string_view url) {
    std::string out;
    for (const char c : url) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7F) {
            append_encoded(c, out);
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace flowspan::nodes::http_request
