#include "draw/svg_drawing.hpp"

#include "draw/label.hpp"
#include "draw/layered_layout.hpp"
#include "draw/topology.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace flowspan::draw {

namespace {

// Pixels. Widths of text are reckoned for wide fonts, so that a narrow one only leaves room.
constexpr double kTitleColumn = 7.8;   // bold, 13 px
constexpr double kDetailColumn = 6.5;  // 11 px
constexpr std::size_t kTitleColumns = 36;
constexpr std::size_t kDetailColumns = 46;
constexpr std::size_t kLabelColumns = 38;
constexpr double kBoxWidthMin = 150;
constexpr double kBoxHeight = 54;
constexpr double kTextLeft = 16;
constexpr double kPortGap = 24;
constexpr double kLabelHeight = 18;
constexpr double kHeader = 54;   // of a container
constexpr double kPadding = 22;  // around what is in a container
constexpr double kMargin = 24;   // around everything

constexpr std::string_view kStyle =
    "text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif;font-size:11px;fill:#5b6472}"
    ".box{fill:#fff;stroke:#b9c0cc}.in{fill:#eef0f4;stroke:#9aa3b2}"
    ".no{stroke:#c62828;stroke-dasharray:5 3}.off{opacity:.55}"
    ".t{font-size:13px;font-weight:600;fill:#1b1f27}.bad{fill:#c62828}"
    ".way{fill:none;stroke:#858d9b;stroke-width:1.6}.tip{fill:#858d9b}"
    ".tag{fill:#fff;stroke:#858d9b}.label{fill:#333a46}";

std::string escape(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

std::string_view color_of(const Box& box) {
    using Known = std::pair<std::string_view, std::string_view>;
    constexpr std::array<Known, 17> kColors = {{
        {"llm", "#6a5acd"},
        {"agent", "#6a5acd"},
        {"question-classifier", "#6a5acd"},
        {"parameter-extractor", "#6a5acd"},
        {"code", "#2e8b57"},
        {"template-transform", "#2e8b57"},
        {"tool", "#1f77b4"},
        {"http-request", "#1f77b4"},
        {"knowledge-retrieval", "#1f77b4"},
        {"document-extractor", "#1f77b4"},
        {"if-else", "#d08700"},
        {"human-input", "#d08700"},
        {"iteration", "#0e8a8a"},
        {"loop", "#0e8a8a"},
        {"start", "#4a7fd6"},
        {"end", "#c05a2b"},
        {"answer", "#c05a2b"},
    }};
    const auto found = std::ranges::find(kColors, box.kind, &Known::first);
    return found == kColors.end() ? "#7d8590" : found->second;
}

double text_width(std::string_view text, double column) {
    return static_cast<double>(display_width(text)) * column;
}

std::string remark_of(const Box& box) {
    if (box.is_unsupported) {
        return "cannot run here";
    }
    return box.is_unreached ? "never reached" : "";
}

/// A diagram with its measures.
struct Sheet {
    const Diagram* diagram = nullptr;
    std::vector<LayoutBox> sizes;
    std::vector<LayoutArrow> arrows;   // those that do not lead back
    std::vector<std::string> returns;  // by box: titles of what it leads back to
    std::vector<std::vector<Sheet>> inner;
    Layout layout;
};

std::string title_of(const Box& box) {
    return clip(box.title, kTitleColumns);
}

std::string detail_of(const Box& box, const std::string& returns) {
    const auto text = box.kind + (box.detail.empty() ? "" : " · " + box.detail) +
                      (returns.empty() ? "" : " · back to " + returns);
    return clip(text, kDetailColumns);
}

std::string label_of(const Port& port) {
    return clip(port.label, kLabelColumns);
}

double label_width(const Port& port) {
    return port.label.empty() ? 0 : text_width(label_of(port), kDetailColumn) + 14;
}

LayoutBox measure(const Box& box, const std::string& returns, const Sheet* inner) {
    LayoutBox size;
    size.width = std::max(
        {kBoxWidthMin,
         text_width(title_of(box), kTitleColumn) + 2 * kTextLeft,
         text_width(detail_of(box, returns), kDetailColumn) + 2 * kTextLeft}
    );
    size.height = kBoxHeight + (remark_of(box).empty() ? 0 : 15);
    if (inner != nullptr) {
        size.width = std::max(size.width, inner->layout.width + 2 * kPadding);
        size.height += inner->layout.height + kPadding + kHeader - kBoxHeight;
    }
    const auto count = static_cast<double>(box.ports.size());
    size.height = std::max(size.height, count * kPortGap + 8);
    for (std::size_t port = 0; port < box.ports.size(); ++port) {
        const auto from_middle = static_cast<double>(port) - (count - 1) / 2;
        size.ports.push_back(size.height / 2 + from_middle * kPortGap);
        if (const auto width = label_width(box.ports[port]); width > 0) {
            size.label_room = std::max(size.label_room, width + 20);
        }
    }
    return size;
}

Sheet lay_out_sheet(const Diagram& diagram) {
    Sheet sheet;
    sheet.diagram = &diagram;
    const auto topology = find_topology(diagram);
    for (std::size_t i = 0; i < diagram.boxes.size(); ++i) {
        const auto& box = diagram.boxes[i];
        auto& inner = sheet.inner.emplace_back();
        if (!box.inner.empty() && !box.inner.front().boxes.empty()) {
            inner.push_back(lay_out_sheet(box.inner.front()));
        }
        std::string returns;
        for (const auto arrow : topology.returning[i]) {
            returns += (returns.empty() ? "" : ", ") +
                       title_of(diagram.boxes[diagram.arrows[arrow].target]);
        }
        sheet.sizes.push_back(measure(box, returns, inner.empty() ? nullptr : inner.data()));
        sheet.returns.push_back(std::move(returns));
        for (const auto arrow : topology.outgoing[i]) {
            const auto& [source, port, target] = diagram.arrows[arrow];
            sheet.arrows.push_back({source, port, target});
        }
    }
    sheet.layout = lay_out(sheet.sizes, sheet.arrows, topology.order);
    return sheet;
}

class SvgWriter {
public:
    std::string write(const Sheet& sheet, std::string_view name) {
        const auto width = sheet.layout.width + 2 * kMargin;
        const auto height = sheet.layout.height + 2 * kMargin;
        add(R"(<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{0:.0f}" )"
            R"(height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}">)",
            width,
            height);
        add("\n<title>{}</title>\n<style>{}</style>\n", escape(name), kStyle);
        write_sheet(sheet, {kMargin, kMargin});
        svg_ += "</svg>\n";
        return std::move(svg_);
    }

private:
    template <class... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(svg_), format, std::forward<Args>(args)...);
    }

    /// Ways first, so that boxes and labels lie above them.
    void write_sheet(const Sheet& sheet, Point origin) {
        for (const auto& way : sheet.layout.ways) {
            write_way(way, origin);
        }
        for (std::size_t i = 0; i < sheet.sizes.size(); ++i) {
            const auto corner = sheet.layout.boxes[i];
            write_box(sheet, i, {origin.x + corner.x, origin.y + corner.y});
        }
    }

    void write_way(const std::vector<Point>& way, Point origin) {
        constexpr double kTip = 8;
        add(R"(<path class="way" d="M{:.1f} {:.1f})", origin.x + way[0].x, origin.y + way[0].y);
        for (std::size_t i = 1; i + 1 < way.size(); i += 2) {
            const auto from = way[i];
            auto to = way[i + 1];
            to.x -= i + 2 == way.size() ? kTip : 0;
            const auto middle = origin.x + (from.x + to.x) / 2;
            add("H{:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}",
                origin.x + from.x,
                middle,
                origin.y + from.y,
                middle,
                origin.y + to.y,
                origin.x + to.x,
                origin.y + to.y);
        }
        const Point end{origin.x + way.back().x, origin.y + way.back().y};
        add(R"("/><path class="tip" d="M{0:.1f} {1:.1f}l-9 -4.5v9z"/>)", end.x, end.y);
        svg_ += '\n';
    }

    void write_box(const Sheet& sheet, std::size_t index, Point corner) {
        const auto& box = sheet.diagram->boxes[index];
        const auto& size = sheet.sizes[index];
        const auto remark = remark_of(box);
        add("<g{}>", box.is_unreached ? R"( class="off")" : "");
        add("<title>{} ({}, {}){}{}</title>",
            escape(box.title),
            escape(box.kind),
            escape(to_single_line(box.id)),
            box.detail.empty() ? "" : ": " + escape(box.detail),
            remark.empty() ? "" : ", " + remark);
        add(R"(<rect class="{}{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="8"/>)",
            box.shape == BoxShape::container ? "in" : "box",
            box.is_unsupported ? " no" : "",
            corner.x,
            corner.y,
            size.width,
            size.height);
        add(R"(<rect x="{:.1f}" y="{:.1f}" width="4" height="26" rx="2" fill="{}"/>)",
            corner.x + 6,
            corner.y + 13,
            color_of(box));
        const auto left = corner.x + kTextLeft;
        add(R"(<text class="t" x="{:.1f}" y="{:.1f}">{}</text>)",
            left,
            corner.y + 24,
            escape(title_of(box)));
        add(R"(<text x="{:.1f}" y="{:.1f}">{}</text>)",
            left,
            corner.y + 41,
            escape(detail_of(box, sheet.returns[index])));
        if (!remark.empty()) {
            add(R"(<text class="bad" x="{:.1f}" y="{:.1f}">{}</text>)", left, corner.y + 56, remark
            );
        }
        svg_ += '\n';
        write_labels(box, size, corner);
        for (const auto& inner : sheet.inner[index]) {
            const auto header = remark.empty() ? kHeader : kHeader + 15;
            write_sheet(inner, {corner.x + kPadding, corner.y + header});
        }
        svg_ += "</g>\n";
    }

    void write_labels(const Box& box, const LayoutBox& size, Point corner) {
        for (std::size_t port = 0; port < box.ports.size(); ++port) {
            const auto width = label_width(box.ports[port]);
            if (width == 0) {
                continue;
            }
            const auto x = corner.x + size.width + 10;
            const auto y = corner.y + size.ports[port];
            add(R"(<rect class="tag" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.0f}" rx="9"/>)",
                x,
                y - kLabelHeight / 2,
                width,
                kLabelHeight);
            add(R"(<text class="label" x="{:.1f}" y="{:.1f}">{}</text>)",
                x + 7,
                y + 4,
                escape(label_of(box.ports[port])));
            svg_ += '\n';
        }
    }

    std::string svg_;
};

}  // namespace

std::string draw_svg(const Diagram& diagram, std::string_view name) {
    return SvgWriter().write(lay_out_sheet(diagram), to_single_line(name));
}

}  // namespace flowspan::draw
