#include "dsl/detail/version.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace flowspan::dsl::detail {

std::optional<Version> parse_version(std::string_view text) noexcept {
    text = trim(text);
    if (text.starts_with('v') || text.starts_with('V')) {
        text.remove_prefix(1);
    }
    Version version = {};
    for (std::size_t i = 0; !text.empty(); ++i) {
        std::uint32_t number = 0;
        const auto* end = std::to_address(text.end());
        const auto parsed = std::from_chars(std::to_address(text.begin()), end, number);
        if (parsed.ec != std::errc()) {
            return std::nullopt;
        }
        if (i < version.size()) {
            version[i] = number;
        }
        text.remove_prefix(static_cast<std::size_t>(parsed.ptr - std::to_address(text.begin())));
        const bool goes_on = text.size() > 1 && text[0] == '.' && text[1] >= '0' && text[1] <= '9';
        if (!goes_on) {
            // `rc1`, `.dev0`, `-beta.2`, `+local`
            const bool is_suffix = std::ranges::all_of(text, [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_' || c == '+';
            });
            const bool is_whole = !text.ends_with('.') && text.find("..") == std::string_view::npos;
            return is_suffix && is_whole ? std::optional(version) : std::nullopt;
        }
        text.remove_prefix(1);
    }
    return std::nullopt;
}

std::string to_string(const Version& version) {
    return fmt::format("{}.{}.{}", version[0], version[1], version[2]);
}

}  // namespace flowspan::dsl::detail
