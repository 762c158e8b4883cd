#include "draw/label.hpp"

#include "flowspan/base/text.hpp"

namespace flowspan::draw {

namespace {

std::size_t length_of_code_point(unsigned char lead) noexcept {
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xE0) {
        return 2;
    }
    return lead < 0xF0 ? 3 : 4;
}

/// True for what would move the cursor, break the line or turn the text around, and for the two
/// code points that XML does not have.
bool is_disruptive(std::string_view code_point) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(code_point[i]); };
    switch (code_point.size()) {
        case 1:
            return byte(0) < 0x20 || byte(0) == 0x7F;
        case 2:
            return byte(0) == 0xC2 && byte(1) < 0xA0;  // C1 controls
        case 3:
            if (byte(0) == 0xE2 && byte(1) == 0x80) {
                // Line and paragraph separator, embeddings and overrides.
                return byte(2) >= 0xA8 && byte(2) <= 0xAE;
            }
            if (byte(0) == 0xE2 && byte(1) == 0x81) {
                return byte(2) >= 0xA6 && byte(2) <= 0xA9;  // isolates
            }
            return byte(0) == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;
        default:
            return false;
    }
}

}  // namespace

std::string to_single_line(std::string_view text) {
    const auto valid = to_valid_utf8(text);
    std::string line;
    line.reserve(valid.size());
    bool is_gap = false;
    for (std::size_t i = 0; i < valid.size();) {
        const auto length = length_of_code_point(static_cast<unsigned char>(valid[i]));
        const auto code_point = std::string_view(valid).substr(i, length);
        i += length;
        if (code_point == " " || is_disruptive(code_point)) {
            is_gap = true;
            continue;
        }
        if (is_gap && !line.empty()) {
            line += ' ';
        }
        is_gap = false;
        line += code_point;
    }
    return line;
}

std::string clip(std::string_view text, std::size_t columns) {
    // A code point has at least one byte, and at most two columns.
    if (text.size() <= columns || display_width(text) <= columns) {
        return std::string(text);
    }
    std::size_t end = 0;
    std::size_t width = 0;
    while (end < text.size()) {
        const auto length = length_of_code_point(static_cast<unsigned char>(text[end]));
        width += display_width(text.substr(end, length));
        if (width >= columns) {
            break;
        }
        end += length;
    }
    return std::string(trim(text.substr(0, end))) + "…";
}

std::string shorten_references(std::string_view text) {
    constexpr std::string_view kOpen = "{{#";
    constexpr std::string_view kClose = "#}}";
    std::string shortened;
    for (std::size_t at = 0; at < text.size();) {
        const auto open = text.find(kOpen, at);
        const auto close = open == std::string_view::npos ? open : text.find(kClose, open);
        if (close == std::string_view::npos) {
            shortened += text.substr(at);
            break;
        }
        const auto path = text.substr(open + kOpen.size(), close - open - kOpen.size());
        shortened += text.substr(at, open - at);
        shortened += "{{";
        shortened += path.substr(path.rfind('.') + 1);
        shortened += "}}";
        at = close + kClose.size();
    }
    return shortened;
}

}  // namespace flowspan::draw
