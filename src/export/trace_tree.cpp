#include "export/trace_tree.hpp"

#include "export/terminal_line.hpp"
#include "export/trace_forest.hpp"
#include "export/trace_label.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::exporting {

namespace {

constexpr std::size_t kWidthMin = 20;
constexpr std::size_t kGap = 2;
constexpr std::size_t kDurationColumns = 8;
constexpr std::size_t kGuideColumns = 3;
constexpr std::size_t kBarMin = 12;
constexpr std::size_t kBarMax = 60;
constexpr std::size_t kLabelMin = 24;  // below it the bar, then the tokens are left out
constexpr std::size_t kLabelMinWithTokens = 16;
// Failed spans are shown beyond the siblings' limit, but not without end.
constexpr std::size_t kFailedSiblingsExtra = 5;

/// Columns where the parts of a line end; 0 means that part is left out.
struct Layout {
    std::size_t label_end = 0;
    std::size_t tokens_end = 0;
    std::size_t duration_end = 0;
    std::size_t bar_start = 0;
    std::size_t bar_columns = 0;
};

Layout make_layout(std::size_t width, std::size_t tokens_columns) {
    Layout layout;
    if (width < kLabelMinWithTokens + 2 * kGap + tokens_columns + kDurationColumns) {
        tokens_columns = 0;
    }
    const auto fixed = kGap + kDurationColumns + (tokens_columns > 0 ? kGap + tokens_columns : 0);
    // Beyond 100 columns labels have room enough, and more of the width goes to time.
    const auto spare = width > 100 ? width - 100 : 0;
    const auto wanted = std::clamp(width / 4 + spare / 2, kBarMin, kBarMax);
    const bool has_bar = width >= fixed + kGap + wanted + kLabelMin;
    layout.bar_columns = has_bar ? wanted : 0;
    layout.bar_start = width - layout.bar_columns;
    layout.duration_end = has_bar ? layout.bar_start - kGap : width;
    layout.tokens_end = layout.duration_end - kDurationColumns - kGap;
    layout.label_end =
        tokens_columns > 0 ? layout.tokens_end - tokens_columns - kGap : layout.tokens_end;
    return layout;
}

/// Several siblings that are shown as one line.
struct Rest {
    std::string name;
    std::size_t count = 0;
    std::size_t failed = 0;
    std::int64_t duration_ns = 0;
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
};

/// A line to come: a span with all below it, or the rest of some siblings.
struct Item {
    std::optional<std::size_t> node;
    Rest rest;
    std::vector<bool> trunks;  ///< for each level above: does its trunk go on below this line?
    bool is_last = false;
    bool is_top = false;
};

class TreeWriter {
public:
    TreeWriter(const Trace& trace, const TreeOptions& options)
        : trace_(trace),
          options_(options),
          width_(std::max(options.width, kWidthMin)),
          symbols_(symbols(options.use_unicode)),
          layout_(make_layout(width_, tokens_columns())) {}

    std::string write() {
        write_header();
        write_scale();
        write_group(trace_.roots);
        if (!trace_.orphans.empty()) {
            TerminalLine line(options_.use_color);
            const auto note = fmt::format(
                "{} whose parent is missing:", count_text(std::ssize(trace_.orphans), "span")
            );
            line.add(fit(note, width_, symbols_.ellipsis), Style::yellow);
            finish(line);
            write_group(trace_.orphans);
        }
        return std::move(out_);
    }

private:
    std::size_t tokens_columns() const {
        std::size_t columns = 0;
        for (const auto& node : trace_.nodes) {
            columns = std::max(columns, display_width(tokens_text(node.tokens, symbols_)));
        }
        return columns == 0 ? 0 : std::max<std::size_t>(columns, std::string_view("tokens").size());
    }

    // The numbers stand in line, whatever the length of the unit.
    [[nodiscard]] std::string aligned_duration(std::int64_t duration_ns) const {
        auto text = duration_text(duration_ns, symbols_);
        return text.ends_with(" s") ? text + ' ' : text;
    }

    void finish(TerminalLine& line) {
        out_ += line.take();
        ++lines_;
    }

    void write_header() {
        std::array<char, 32> id{};
        trace_.trace_id.ToLowerBase16(id);
        std::vector<Piece> facts = {
            {fmt::format("trace {}", std::string_view(id.data(), id.size())), Style::bold},
            {duration_text(trace_.end_ns - trace_.start_ns, symbols_)},
            {count_text(std::ssize(trace_.nodes), "span")},
        };
        if (trace_.tokens.total() > 0) {
            facts.push_back({count_text(trace_.tokens.total(), "token")});
        }
        facts.push_back(
            {trace_.errors == 0 ? "no errors"
                                : count_text(static_cast<std::int64_t>(trace_.errors), "error"),
             trace_.errors == 0 ? Style::dim : Style::bold_red}
        );
        TerminalLine line(options_.use_color);
        for (auto& fact : facts) {
            const bool is_first = line.width() == 0;
            if (!is_first && line.width() + kGap + display_width(fact.text) > width_) {
                finish(line);
            }
            line.pad_to(line.width() == 0 ? 0 : line.width() + kGap);
            line.add(fit(fact.text, width_, symbols_.ellipsis), fact.style);
        }
        finish(line);
    }

    void write_scale() {
        if (layout_.bar_columns == 0) {
            return;
        }
        TerminalLine line(options_.use_color);
        if (layout_.label_end < layout_.tokens_end) {
            line.add_before(layout_.tokens_end, "tokens", Style::dim);
        }
        line.add_before(layout_.duration_end, "time", Style::dim);
        line.pad_to(layout_.bar_start);
        line.add("0", Style::dim);
        line.add_before(
            width_, duration_text(trace_.end_ns - trace_.start_ns, symbols_), Style::dim
        );
        finish(line);
    }

    // Depth first with an own stack: a trace may be deeper than ours.
    void write_group(const std::vector<std::size_t>& tops) {
        std::vector<Item> stack = arrange(tops, {}, true);
        std::ranges::reverse(stack);
        while (!stack.empty()) {
            if (lines_ >= options_.lines_max) {
                TerminalLine line(options_.use_color);
                line.add(fit("the rest is left out", width_, symbols_.ellipsis), Style::yellow);
                finish(line);
                return;
            }
            const Item item = std::move(stack.back());
            stack.pop_back();
            if (!item.node) {
                write_rest(item);
                continue;
            }
            write_span(item);
            auto trunks = item.trunks;
            if (!item.is_top) {
                trunks.push_back(!item.is_last);
            }
            auto below = arrange(trace_.nodes[*item.node].children, trunks, false);
            std::ranges::move(below.rbegin(), below.rend(), std::back_inserter(stack));
        }
    }

    // Decides which of the siblings are shown; a rest stands where its first span would.
    std::vector<Item> arrange(
        const std::vector<std::size_t>& siblings, const std::vector<bool>& trunks, bool is_top
    ) const {
        struct Group {
            std::size_t shown = 0;
            std::size_t failed_extra = 0;
            std::optional<std::size_t> rest_item;
        };

        std::map<std::string_view, Group> groups;
        std::vector<Item> items;
        for (const auto index : siblings) {
            const auto& node = trace_.nodes[index];
            auto& group = groups[node.span->name()];
            const bool has_failed = node.has_failed || node.has_failure_below;
            if (group.shown < options_.siblings_max ||
                (has_failed && group.failed_extra++ < kFailedSiblingsExtra)) {
                ++group.shown;
                items.push_back({index, {}, trunks, false, is_top});
                continue;
            }
            if (!group.rest_item) {
                group.rest_item = items.size();
                items.push_back({std::nullopt, {}, trunks, false, is_top});
            }
            add_to_rest(items[*group.rest_item].rest, *node.span, has_failed);
        }
        if (!items.empty()) {
            items.back().is_last = true;
        }
        return items;
    }

    static void add_to_rest(Rest& rest, const SpanRecord& span, bool has_failed) {
        rest.name = span.name();
        rest.start_ns = rest.count == 0 ? span.start_ns : std::min(rest.start_ns, span.start_ns);
        rest.end_ns = rest.count == 0 ? span.end_ns() : std::max(rest.end_ns, span.end_ns());
        rest.duration_ns += span.duration_ns;
        rest.failed += has_failed ? 1 : 0;
        ++rest.count;
    }

    // Deep levels lose their outer guides, so that there is always room for a name.
    void add_guides(TerminalLine& line, const std::vector<bool>& trunks, std::string_view branch) {
        const auto levels_max = layout_.label_end / 2 / kGuideColumns;
        std::size_t first = 0;
        std::string guides;
        if (trunks.size() + 1 > levels_max) {
            first = trunks.size() + 1 - levels_max;
            guides = fmt::format("{:<3}", symbols_.ellipsis);
        }
        for (auto level = first; level < trunks.size(); ++level) {
            guides += trunks[level] ? symbols_.trunk : "   ";
        }
        guides += branch;
        line.add(guides, Style::dim);
    }

    void write_span(const Item& item) {
        const auto& node = trace_.nodes[*item.node];
        TerminalLine line(options_.use_color);
        if (!item.is_top) {
            add_guides(line, item.trunks, item.is_last ? symbols_.last_branch : symbols_.branch);
        }
        line.add_fitting(label_pieces(node, symbols_), layout_.label_end, symbols_.ellipsis);
        const auto tokens = tokens_text(node.tokens, symbols_);
        if (!tokens.empty() && layout_.label_end < layout_.tokens_end) {
            line.add_before(layout_.tokens_end, tokens, Style::magenta);
        }
        const bool is_failed = node.has_failed;
        line.add_before(
            layout_.duration_end,
            aligned_duration(node.span->duration_ns),
            is_failed ? Style::red : Style::plain
        );
        add_bar(line, node.span->start_ns, node.span->end_ns(), bar_style(node));
        finish(line);
        write_failure(item, node);
    }

    // The words of a failure stand once: where it arose.
    void write_failure(const Item& item, const TraceNode& node) {
        const auto text = failure_text(*node.span);
        const bool is_repeated = std::ranges::any_of(node.children, [&](std::size_t child) {
            const auto inner = trace_.nodes[child].span->status_description();
            return trace_.nodes[child].has_failed && !inner.empty() &&
                   text.find(printable(inner)) != std::string::npos;
        });
        if (text.empty() || is_repeated) {
            return;
        }
        TerminalLine line(options_.use_color);
        auto trunks = item.trunks;
        if (!item.is_top) {
            trunks.push_back(!item.is_last);
        }
        add_guides(line, trunks, node.children.empty() ? "   " : symbols_.trunk);
        const auto style = node.has_failed ? Style::red : Style::yellow;
        line.add_fitting({{text, style}}, width_, symbols_.ellipsis);
        finish(line);
    }

    void write_rest(const Item& item) {
        const auto& rest = item.rest;
        TerminalLine line(options_.use_color);
        if (!item.is_top) {
            add_guides(line, item.trunks, item.is_last ? symbols_.last_branch : symbols_.branch);
        }
        std::vector<Piece> pieces = {
            {fmt::format("{} {} more", symbols_.ellipsis, rest.count), Style::dim},
        };
        if (rest.failed > 0) {
            pieces.push_back({fmt::format(" ({} failed)", rest.failed), Style::red});
        }
        pieces.push_back({fmt::format(" {}", printable(rest.name)), Style::dim});
        line.add_fitting(pieces, layout_.label_end, symbols_.ellipsis);
        line.add_before(layout_.duration_end, aligned_duration(rest.duration_ns), Style::dim);
        add_bar(line, rest.start_ns, rest.end_ns, Style::dim);
        finish(line);
    }

    // In half cells; the shortest span still gets one.
    void add_bar(TerminalLine& line, std::int64_t start_ns, std::int64_t end_ns, Style style) {
        if (layout_.bar_columns == 0) {
            return;
        }
        const auto halves = static_cast<double>(2 * layout_.bar_columns);
        const auto whole =
            static_cast<double>(std::max<std::int64_t>(1, trace_.end_ns - trace_.start_ns));
        const auto at = [&](std::int64_t time_ns) {
            return static_cast<double>(time_ns - trace_.start_ns) / whole * halves;
        };
        const auto last = 2 * layout_.bar_columns - 1;
        const auto from = std::min(last, static_cast<std::size_t>(at(start_ns)));
        const auto to =
            std::clamp(static_cast<std::size_t>(std::lround(at(end_ns))), from + 1, last + 1);
        std::string cells;
        for (auto cell = from / 2; cell <= (to - 1) / 2; ++cell) {
            const bool has_left = from <= 2 * cell;
            const bool has_right = to > 2 * cell + 1;
            cells += has_left && has_right ? symbols_.bar
                     : has_left            ? symbols_.bar_left
                                           : symbols_.bar_right;
        }
        line.pad_to(layout_.bar_start + from / 2);
        line.add(cells, style);
    }

    static Style bar_style(const TraceNode& node) {
        if (node.has_failed) {
            return Style::red;
        }
        if (node.span->kind == opentelemetry::trace::SpanKind::kClient) {
            return node.span->has(trace::names::kGenAiOperationName) ? Style::magenta : Style::blue;
        }
        return node.span->has(trace::names::kNodeType) ? Style::cyan : Style::dim;
    }

    const Trace& trace_;
    const TreeOptions& options_;
    const std::size_t width_;
    const Symbols& symbols_;
    const Layout layout_;
    std::string out_;
    std::size_t lines_ = 0;
};

}  // namespace

std::string render_trace_tree(SpanBatch spans, const TreeOptions& options) {
    std::string out;
    for (const auto& trace : build_traces(spans)) {
        out += out.empty() ? "" : "\n";
        out += TreeWriter(trace, options).write();
    }
    return out;
}

}  // namespace flowspan::exporting
