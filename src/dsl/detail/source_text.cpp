#include "dsl/detail/source_text.hpp"

#include "dsl/loader.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace flowspan::dsl::detail {

namespace {

// The byte after a valid prefix that spoils this line.
std::size_t first_invalid_byte(std::string_view line) noexcept {
    std::size_t at = 0;
    while (at < line.size()) {
        std::size_t length = 1;
        while (length <= 4 && !is_valid_utf8(line.substr(at, length))) {
            ++length;
        }
        if (length > 4) {
            break;
        }
        at += length;
    }
    return at;
}

bool is_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

SourcePosition position_in_line(std::size_t line, std::size_t at) noexcept {
    return {static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(at + 1)};
}

// FNV-1a with a seed, then a final mix so that every bit depends on every byte.
std::uint64_t hash(std::string_view text, std::uint64_t seed) noexcept {
    std::uint64_t state = 0xCBF29CE484222325ULL ^ seed;
    for (const char c : text) {
        state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    }
    state = (state ^ (state >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    state = (state ^ (state >> 27U)) * 0x94D049BB133111EBULL;
    return state ^ (state >> 31U);
}

}  // namespace

std::string_view without_bom(std::string_view text) noexcept {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

std::optional<Problem> find_unreadable(std::string_view text) {
    if (text.size() > kFileSizeMax) {
        return Problem{
            Problem::Severity::error,
            {},
            "file.too_large",
            fmt::format(
                "File size exceeds the limit of 10MB: it has {} bytes, {} are allowed",
                text.size(),
                kFileSizeMax
            )
        };
    }
    std::size_t number = 0;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        ++number;
        if (!is_valid_utf8(line)) {
            return Problem{
                Problem::Severity::error,
                position_in_line(number, first_invalid_byte(line)),
                "file.invalid_utf8",
                "the file is not valid UTF-8 here; save it in that encoding"
            };
        }
        if (const auto* control = std::ranges::find_if(line, is_control); control != line.end()) {
            return Problem{
                Problem::Severity::error,
                position_in_line(number, static_cast<std::size_t>(control - line.begin())),
                "file.invalid_character",
                fmt::format(
                    "the control character 0x{:02X} is not allowed in YAML; remove it",
                    static_cast<unsigned char>(*control)
                )
            };
        }
    }
    return std::nullopt;
}

std::optional<JsonSource> parse_json_source(std::string_view text) {
    if (!trim(text).starts_with('{')) {
        return std::nullopt;
    }
    auto document = parse_json(text);
    if (!document) {
        return std::nullopt;
    }
    JsonSource source;
    const auto* data = find_member(*document, "data");
    if (data != nullptr && data->is_string() && find_member(*document, "app") == nullptr) {
        source.wrapped = data->get_string();
    }
    source.document = *std::move(document);
    return source;
}

std::string make_content_id(std::string_view text) {
    // Version 8: a UUID of one's own making. The second seed is an arbitrary odd number.
    const auto high = (hash(text, 0) & 0xFFFFFFFFFFFF0FFFULL) | 0x8000ULL;
    const auto low =
        (hash(text, 0x9E3779B97F4A7C15ULL) & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
    return fmt::format(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32U,
        (high >> 16U) & 0xFFFFU,
        high & 0xFFFFU,
        low >> 48U,
        low & 0xFFFFFFFFFFFFULL
    );
}

}  // namespace flowspan::dsl::detail
