#include "draw/text_drawing.hpp"

#include "draw/label.hpp"
#include "draw/topology.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

namespace flowspan::draw {

namespace {

constexpr std::size_t kLanesMax = 40;  // two columns each
constexpr std::size_t kTitleColumns = 60;
constexpr std::size_t kDetailColumns = 60;
constexpr std::size_t kRoomMin = 24;  // columns for text, however narrow the terminal is
constexpr std::size_t kFree = std::numeric_limits<std::size_t>::max();

struct Glyphs {
    std::string_view lane, across, first, fork, join, opens, closes, down;
    std::string_view inner_top, inner, inner_bottom;
    std::string_view plain, start, branch, container, response, unsupported;
    std::string_view arrow, back, dot;
};

constexpr Glyphs kUnicode = {
    .lane = "│",
    .across = "─",
    .first = "├",
    .fork = "┬",
    .join = "┴",
    .opens = "╮",
    .closes = "╯",
    .down = "↓",
    .inner_top = "╭╴",
    .inner = "│ ",
    .inner_bottom = "╰╴",
    .plain = "●",
    .start = "▶",
    .branch = "◆",
    .container = "▣",
    .response = "■",
    .unsupported = "✗",
    .arrow = "→",
    .back = "↺",
    .dot = "·",
};

constexpr Glyphs kAscii = {
    .lane = "|",
    .across = "-",
    .first = "+",
    .fork = "+",
    .join = "+",
    .opens = "\\",
    .closes = "/",
    .down = "v",
    .inner_top = "+ ",
    .inner = "| ",
    .inner_bottom = "+ ",
    .plain = "*",
    .start = ">",
    .branch = "?",
    .container = "#",
    .response = "=",
    .unsupported = "x",
    .arrow = "->",
    .back = "back to",
    .dot = "-",
};

/// One row of lanes: a mark in each lane and what fills the column behind it.
class Row {
public:
    explicit Row(std::size_t lanes) : marks_(lanes, " "), fillers_(lanes, " ") {}

    void mark(std::size_t lane, std::string_view mark) { marks_[lane] = mark; }

    void fill(std::size_t lane, std::string_view filler) { fillers_[lane] = filler; }

    [[nodiscard]] std::string text() const {
        std::string text;
        for (std::size_t lane = 0; lane < marks_.size(); ++lane) {
            text += marks_[lane];
            text += fillers_[lane];
        }
        return text;
    }

private:
    std::vector<std::string_view> marks_;
    std::vector<std::string_view> fillers_;
};

class TextPainter {
public:
    TextPainter(const Diagram& diagram, const TextOptions& options, std::size_t width)
        : diagram_(diagram),
          options_(options),
          glyphs_(options.has_unicode ? kUnicode : kAscii),
          width_(width),
          topology_(find_topology(diagram)) {}

    std::vector<std::string> paint() {
        for (const auto box : topology_.order) {
            paint_box(box);
        }
        return std::move(lines_);
    }

private:
    void paint_box(std::size_t box) {
        const auto lane = join_lanes(box);
        drop_free_lanes();
        auto row = lanes_row();
        row.mark(lane, mark_of(diagram_.boxes[box]));
        add_line(row.text() + describe(diagram_.boxes[box]));
        const bool goes_on = !topology_.outgoing[box].empty();
        lanes_[lane] = goes_on ? box : kFree;
        for (const auto& inner : diagram_.boxes[box].inner) {
            paint_inner(inner);
        }
        lanes_[lane] = kFree;
        paint_back_arrows(box);
        paint_arrows(box, lane);
        drop_free_lanes();
    }

    void drop_free_lanes() {
        while (!lanes_.empty() && lanes_.back() == kFree) {
            lanes_.pop_back();
        }
    }

    Row lanes_row() const {
        Row row(lanes_.size());
        for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
            if (lanes_[lane] != kFree) {
                row.mark(lane, glyphs_.lane);
            }
        }
        return row;
    }

    /// Brings the lanes that lead to `box` together; returns the one it stands in.
    std::size_t join_lanes(std::size_t box) {
        const auto found = std::ranges::find(lanes_, box);
        if (found == lanes_.end()) {
            return take_lane(box, 0);
        }
        const auto first = static_cast<std::size_t>(found - lanes_.begin());
        auto last = lanes_.size() - 1;
        while (lanes_[last] != box) {
            --last;
        }
        if (last == first) {
            return first;
        }
        auto row = lanes_row();
        row.mark(first, glyphs_.first);
        for (std::size_t lane = first; lane < last; ++lane) {
            row.fill(lane, glyphs_.across);
            if (lane != first && (lanes_[lane] == kFree)) {
                row.mark(lane, glyphs_.across);
            } else if (lane != first && lanes_[lane] == box) {
                row.mark(lane, glyphs_.join);
            }
        }
        row.mark(last, glyphs_.closes);
        add_line(row.text());
        for (auto lane = first + 1; lane <= last; ++lane) {
            if (lanes_[lane] == box) {
                lanes_[lane] = kFree;
            }
        }
        return first;
    }

    /// The first free lane from `from` on.
    std::size_t take_lane(std::size_t box, std::size_t from) {
        for (auto lane = from; lane < lanes_.size(); ++lane) {
            if (lanes_[lane] == kFree) {
                lanes_[lane] = box;
                return lane;
            }
        }
        lanes_.resize(std::max(lanes_.size(), from), kFree);
        lanes_.push_back(box);
        return lanes_.size() - 1;
    }

    std::string_view mark_of(const Box& box) const {
        if (box.is_unsupported) {
            return glyphs_.unsupported;
        }
        switch (box.shape) {
            case BoxShape::start:
                return glyphs_.start;
            case BoxShape::branch:
                return glyphs_.branch;
            case BoxShape::container:
                return glyphs_.container;
            case BoxShape::response:
                return glyphs_.response;
            case BoxShape::plain:
                return glyphs_.plain;
        }
        return glyphs_.plain;
    }

    /// Columns left of a line behind the lanes.
    std::size_t room() const {
        const auto taken = 2 * lanes_.size();
        return width_ == 0 ? kFree : std::max(width_, taken + kRoomMin) - taken;
    }

    std::string describe(const Box& box) const {
        const std::string marks = std::string(box.is_unsupported ? "  (cannot run here)" : "") +
                                  (box.is_unreached ? "  (never reached)" : "");
        const auto fixed = 2 + display_width(box.kind) + marks.size();
        const auto room = this->room();
        const auto title =
            clip(box.title, std::min(kTitleColumns, room - std::min(room - kRoomMin / 2, fixed)));
        const auto used = fixed + display_width(title) + 3;
        auto text = bold(title) + "  " + faint(box.kind);
        if (!box.detail.empty() && used + kRoomMin / 2 <= room) {
            const auto detail = clip(box.detail, std::min(kDetailColumns, room - used));
            text += faint(fmt::format(" {} {}", glyphs_.dot, detail));
        }
        return text + marks;
    }

    void paint_inner(const Diagram& inner) {
        const auto prefix = lanes_row().text();
        const auto taken = display_width(prefix) + display_width(glyphs_.inner);
        const auto width = width_ == 0 ? 0 : std::max(width_, taken + kRoomMin) - taken;
        add_line(prefix + std::string(glyphs_.inner_top));
        for (const auto& line : TextPainter(inner, options_, width).paint()) {
            add_line(fmt::format("{}{}{}", prefix, glyphs_.inner, line));
        }
        add_line(prefix + std::string(glyphs_.inner_bottom));
    }

    void paint_back_arrows(std::size_t box) {
        for (const auto arrow : topology_.returning[box]) {
            add_note(glyphs_.back, diagram_.arrows[arrow]);
        }
    }

    void paint_arrows(std::size_t box, std::size_t own_lane) {
        const auto& arrows = topology_.outgoing[box];
        const auto& ports = diagram_.boxes[box].ports;
        const bool has_labels = std::ranges::any_of(arrows, [&](std::size_t arrow) {
            return !ports[diagram_.arrows[arrow].port].label.empty();
        });
        std::vector<std::size_t> opened;
        for (std::size_t i = 0; i < arrows.size(); ++i) {
            const auto& arrow = diagram_.arrows[arrows[i]];
            if (i == 0 && own_lane < kLanesMax) {
                lanes_[own_lane] = arrow.target;
                if (has_labels) {
                    auto row = lanes_row();
                    row.mark(own_lane, glyphs_.down);
                    add_line(row.text() + label(box, arrow.port));
                }
            } else if (lanes_.size() >= kLanesMax) {
                add_note(glyphs_.arrow, arrow);
            } else {
                opened.push_back(take_lane(arrow.target, own_lane + 1));
                if (has_labels) {
                    add_line(fork_row(own_lane, {opened.back()}).text() + label(box, arrow.port));
                }
            }
        }
        if (!has_labels && !opened.empty()) {
            add_line(fork_row(own_lane, opened).text());
        }
    }

    /// Lanes between that lead elsewhere are passed beneath.
    Row fork_row(std::size_t from, const std::vector<std::size_t>& opened) const {
        auto row = lanes_row();
        const auto last = std::ranges::max(opened);
        row.mark(from, glyphs_.first);
        for (auto lane = from; lane < last; ++lane) {
            row.fill(lane, glyphs_.across);
            if (lane != from && lanes_[lane] == kFree) {
                row.mark(lane, glyphs_.across);
            }
        }
        for (const auto lane : opened) {
            row.mark(lane, lane == last ? glyphs_.opens : glyphs_.fork);
        }
        return row;
    }

    std::string label(std::size_t box, std::size_t port) const {
        return clip(diagram_.boxes[box].ports[port].label, std::min(kTitleColumns, room()));
    }

    void add_note(std::string_view sign, const Arrow& arrow) {
        const auto text = label(arrow.source, arrow.port);
        add_line(fmt::format(
            "{}  {} {}{}{}",
            lanes_row().text(),
            sign,
            clip(diagram_.boxes[arrow.target].title, std::min(kTitleColumns, room())),
            text.empty() ? "" : ": ",
            text
        ));
    }

    void add_line(std::string line) {
        while (line.ends_with(' ')) {
            line.pop_back();
        }
        lines_.push_back(std::move(line));
    }

    std::string bold(const std::string& text) const {
        return options_.has_color ? "\x1b[1m" + text + "\x1b[0m" : text;
    }

    std::string faint(const std::string& text) const {
        return options_.has_color ? "\x1b[2m" + text + "\x1b[0m" : text;
    }

    const Diagram& diagram_;
    const TextOptions& options_;
    const Glyphs& glyphs_;
    std::size_t width_;
    Topology topology_;
    std::vector<std::size_t> lanes_;  // the box that each leads to
    std::vector<std::string> lines_;
};

}  // namespace

std::string draw_text(const Diagram& diagram, const TextOptions& options) {
    std::string text;
    for (const auto& line : TextPainter(diagram, options, options.width).paint()) {
        text += line;
        text += '\n';
    }
    return text;
}

}  // namespace flowspan::draw
