#include "export/terminal_line.hpp"

#include "flowspan/base/text.hpp"

#include <utility>

namespace flowspan::exporting {

namespace {

constexpr Symbols kUnicode = {
    .branch = "├─ ",
    .last_branch = "└─ ",
    .trunk = "│  ",
    .ellipsis = "…",
    .arrow = "→",
    .cross = "✗",
    .microseconds = "µs",
    .bar = "━",
    .bar_left = "╸",
    .bar_right = "╺",
};

constexpr Symbols kAscii = {
    .branch = "|- ",
    .last_branch = "`- ",
    .trunk = "|  ",
    .ellipsis = "...",
    .arrow = "->",
    .cross = "x",
    .microseconds = "us",
    .bar = "=",
    .bar_left = "=",
    .bar_right = "=",
};

std::string_view escape_of(Style style) noexcept {
    switch (style) {
        case Style::plain:
            return "";
        case Style::bold:
            return "\x1b[1m";
        case Style::dim:
            return "\x1b[2m";
        case Style::red:
            return "\x1b[31m";
        case Style::bold_red:
            return "\x1b[1;31m";
        case Style::yellow:
            return "\x1b[33m";
        case Style::blue:
            return "\x1b[34m";
        case Style::magenta:
            return "\x1b[35m";
        case Style::cyan:
            return "\x1b[36m";
    }
    return "";
}

std::size_t lead_length(std::string_view text) noexcept {
    return code_point_prefix(text, 1).size();
}

}  // namespace

const Symbols& symbols(bool use_unicode) noexcept {
    return use_unicode ? kUnicode : kAscii;
}

std::string printable(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    while (!text.empty()) {
        const auto character = text.substr(0, lead_length(text));
        const auto first = static_cast<unsigned char>(character[0]);
        // C0, delete, and C1 (U+0080 to U+009F) steer terminals.
        const bool is_c1 = first == 0xC2 && character.size() == 2 &&
                           static_cast<unsigned char>(character[1]) < 0xA0;
        if (first < 0x20 || first == 0x7F || is_c1) {
            clean += ' ';
        } else {
            clean += character;
        }
        text.remove_prefix(character.size());
    }
    return clean;
}

std::string fit(std::string_view text, std::size_t columns, std::string_view ellipsis) {
    if (display_width(text) <= columns) {
        return std::string(text);
    }
    if (columns <= display_width(ellipsis)) {
        return std::string(columns, '.');
    }
    const auto room = columns - display_width(ellipsis);
    std::size_t kept = 0;
    std::size_t width = 0;
    while (kept < text.size()) {
        const auto length = lead_length(text.substr(kept));
        width += display_width(text.substr(kept, length));
        if (width > room) {
            break;
        }
        kept += length;
    }
    while (kept > 0 && text[kept - 1] == ' ') {
        --kept;
    }
    return std::string(text.substr(0, kept)) + std::string(ellipsis);
}

void TerminalLine::add(std::string_view text, Style style) {
    if (text.empty()) {
        return;
    }
    text_.append(std::exchange(pending_spaces_, 0), ' ');
    width_ += display_width(text);
    if (!use_color_ || style == Style::plain) {
        text_ += text;
        return;
    }
    text_ += escape_of(style);
    text_ += text;
    text_ += "\x1b[0m";
}

void TerminalLine::add_fitting(
    const std::vector<Piece>& pieces, std::size_t columns, std::string_view ellipsis
) {
    for (std::size_t i = 0; i < pieces.size() && width_ < columns; ++i) {
        const bool is_more_to_come = i + 1 < pieces.size();
        const auto room = columns - width_;
        const auto needed = display_width(pieces[i].text);
        // A following piece needs room for its ellipsis at least; else this one is cut here.
        if (needed > room || (is_more_to_come && needed == room)) {
            add(fit(pieces[i].text + (is_more_to_come ? " " : ""), room, ellipsis),
                pieces[i].style);
            return;
        }
        add(pieces[i].text, pieces[i].style);
    }
}

void TerminalLine::pad_to(std::size_t column) {
    if (column > width_) {
        pending_spaces_ += column - width_;
        width_ = column;
    }
}

void TerminalLine::add_before(std::size_t column, std::string_view text, Style style) {
    const auto needed = display_width(text);
    pad_to(column > needed ? column - needed : 0);
    add(text, style);
}

std::string TerminalLine::take() {
    pending_spaces_ = 0;
    width_ = 0;
    text_ += '\n';
    return std::exchange(text_, {});
}

}  // namespace flowspan::exporting
