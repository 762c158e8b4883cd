#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cwchar>

namespace flowspan {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char32_t kInvalid = 0xFFFFFFFF;

struct Decoded {
    char32_t code_point;
    std::size_t length;
};

bool is_continuation(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// Decodes one code point at the front of a non-empty text; kInvalid covers one byte.
Decoded decode_front(std::string_view text) noexcept {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) {
        return {first, 1};
    }
    std::size_t length = 0;
    char32_t code_point = 0;
    char32_t smallest = 0;
    if ((first & 0xE0U) == 0xC0U) {
        length = 2;
        code_point = first & 0x1FU;
        smallest = 0x80;
    } else if ((first & 0xF0U) == 0xE0U) {
        length = 3;
        code_point = first & 0x0FU;
        smallest = 0x800;
    } else if ((first & 0xF8U) == 0xF0U) {
        length = 4;
        code_point = first & 0x07U;
        smallest = 0x10000;
    } else {
        return {kInvalid, 1};
    }
    if (text.size() < length) {
        return {kInvalid, 1};
    }
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) {
            return {kInvalid, 1};
        }
        code_point = (code_point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < smallest || code_point > 0x10FFFF || is_surrogate) {
        return {kInvalid, 1};
    }
    return {code_point, length};
}

bool is_wide(char32_t c) noexcept {
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
           (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1F64F) ||
           (c >= 0x1F680 && c <= 0x1F6FF) || (c >= 0x1F900 && c <= 0x1F9FF) ||
           (c >= 0x20000 && c <= 0x3FFFD);
}

bool is_zero_width(char32_t c) noexcept {
    return (c >= 0x0300 && c <= 0x036F) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF;
}

bool is_space(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto decoded = decode_front(text);
        if (decoded.code_point == kInvalid) {
            return false;
        }
        text.remove_prefix(decoded.length);
    }
    return true;
}

std::string to_valid_utf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const auto decoded = decode_front(text);
        valid.append(
            decoded.code_point == kInvalid ? kReplacement : text.substr(0, decoded.length)
        );
        text.remove_prefix(decoded.length);
    }
    return valid;
}

std::size_t count_code_points(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) {
        return !is_continuation(byte);
    }));
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) {
        return text;
    }
    while (bytes_max > 0 && is_continuation(text[bytes_max])) {
        --bytes_max;
    }
    return text.substr(0, bytes_max);
}

std::string_view code_point_prefix(std::string_view text, std::size_t count) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        if (!is_continuation(text[at])) {
            if (count == 0) {
                break;
            }
            --count;
        }
        ++at;
    }
    return text.substr(0, at);
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::string to_lower_ascii(std::string_view text) {
    std::string lowered(text);
    std::ranges::transform(lowered, lowered.begin(), lower);
    return lowered;
}

bool equals_ignore_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    while (true) {
        const auto at = text.find(separator);
        pieces.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return pieces;
        }
        text.remove_prefix(at + 1);
    }
}

std::size_t display_width(std::string_view text) noexcept {
    std::size_t width = 0;
    while (!text.empty()) {
        const auto decoded = decode_front(text);
        if (decoded.code_point != kInvalid && is_wide(decoded.code_point)) {
            width += 2;
        } else if (decoded.code_point == kInvalid || !is_zero_width(decoded.code_point)) {
            width += 1;
        }
        text.remove_prefix(decoded.length);
    }
    return width;
}

std::string number_text(std::int64_t number) {
    auto text = fmt::format("{}", number);
    const std::size_t sign = number < 0 ? 1 : 0;
    for (auto at = text.size(); at > sign + 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

std::string count_text(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", number_text(count), noun, count == 1 ? "" : "s");
}

}  // namespace flowspan
