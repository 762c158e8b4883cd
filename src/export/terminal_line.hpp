#pragma once
// Pieces of a terminal line: styles, symbols, and cutting by columns.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

enum class Style : std::uint8_t { plain, bold, dim, red, bold_red, yellow, blue, magenta, cyan };

struct Piece {
    std::string text;
    Style style = Style::plain;
};

/// What lines are drawn with.
struct Symbols {
    std::string_view branch;
    std::string_view last_branch;
    std::string_view trunk;
    std::string_view ellipsis;
    std::string_view arrow;
    std::string_view cross;
    std::string_view microseconds;
    // Cells of a bar: whole, left half, right half.
    std::string_view bar;
    std::string_view bar_left;
    std::string_view bar_right;
};

[[nodiscard]] const Symbols& symbols(bool use_unicode) noexcept;

/// Without control characters, so that a name cannot move the cursor.
[[nodiscard]] std::string printable(std::string_view text);

/// At most `columns` wide; cut text ends with `ellipsis`.
[[nodiscard]] std::string fit(
    std::string_view text, std::size_t columns, std::string_view ellipsis
);

/// Collects pieces and knows its width.
class TerminalLine {
public:
    explicit TerminalLine(bool use_color) : use_color_(use_color) {}

    void add(std::string_view text, Style style = Style::plain);
    /// Adds the pieces, cutting at `columns` of this line.
    void add_fitting(
        const std::vector<Piece>& pieces, std::size_t columns, std::string_view ellipsis
    );
    /// Spaces up to the column.
    void pad_to(std::size_t column);
    /// Right-aligned, ending at the column.
    void add_before(std::size_t column, std::string_view text, Style style);

    [[nodiscard]] std::size_t width() const noexcept { return width_; }

    /// With a line break, without spaces before it.
    [[nodiscard]] std::string take();

private:
    bool use_color_;
    std::size_t width_ = 0;
    std::size_t pending_spaces_ = 0;
    std::string text_;
};

}  // namespace flowspan::exporting
