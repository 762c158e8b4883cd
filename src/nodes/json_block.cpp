#include "nodes/json_block.hpp"

#include "flowspan/base/text.hpp"

#include <array>

namespace flowspan::nodes {

std::optional<std::string_view> find_json_block(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 6> kOpening = {"```json", "```", "``", "`", "{", "["};
    constexpr std::array<std::string_view, 5> kClosing = {"```", "``", "`", "}", "]"};
    const auto is_bracket = [](std::string_view mark) { return mark[0] != '`'; };
    auto start = std::string_view::npos;
    for (const auto mark : kOpening) {
        start = text.find(mark);
        if (start != std::string_view::npos) {
            start += is_bracket(mark) ? 0 : mark.size();
            break;
        }
    }
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    for (const auto mark : kClosing) {
        const auto end = text.rfind(mark);
        if (end != std::string_view::npos && end > start) {
            const auto length = end + (is_bracket(mark) ? mark.size() : 0) - start;
            return trim(text.substr(start, length));
        }
    }
    return std::nullopt;
}

}  // namespace flowspan::nodes
