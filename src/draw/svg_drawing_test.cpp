#include "draw/svg_drawing.hpp"

#include "draw/testing/sample_app.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowspan::draw {
namespace {

/// Checks that every element is closed in order and that no text holds a bare `<` or `&`.
bool is_well_formed(std::string_view svg) {
    std::vector<std::string> open;
    for (std::size_t at = 0; at < svg.size();) {
        if (svg[at] == '&') {
            const auto entity = svg.substr(at, svg.find(';', at) - at + 1);
            if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;") {
                return false;
            }
        }
        if (svg[at] != '<') {
            ++at;
            continue;
        }
        const auto end = svg.find('>', at);
        if (end == std::string_view::npos) {
            return false;
        }
        const auto tag = svg.substr(at + 1, end - at - 1);
        if (tag.starts_with('/')) {
            if (open.empty() || open.back() != tag.substr(1)) {
                return false;
            }
            open.pop_back();
        } else if (!tag.ends_with('/')) {
            open.emplace_back(tag.substr(0, tag.find(' ')));
        }
        at = end + 1;
    }
    return open.empty();
}

TEST(SvgDrawing, ShowsNodesLabelsAndContainers) {
    const auto svg = draw_svg(make_diagram(testing::support_graph(), {}), "Support");
    EXPECT_TRUE(is_well_formed(svg));
    for (const auto* text :
         {"<title>Support</title>",
          ">What is it about?<",
          "question-classifier · gpt-4o · openai",
          ">Refunds<",
          ">failure<",
          "GET api.example.com",
          ">Write it down<",
          "class=\"in\""}) {
        EXPECT_NE(svg.find(text), std::string::npos) << text;
    }
    EXPECT_EQ(svg.find("secret"), std::string::npos);
}

TEST(SvgDrawing, EscapesTextAndDropsControlCharacters) {
    const auto graph = testing::load_graph(
        R"([{id: s, data: {type: start, title: "<script>alert('&')</script> \x01\e[0m"}},
            {id: "a\"b", data: {type: "te<le", title: "]]>"}}])",
        R"([{source: s, target: "a\"b", sourceHandle: "<x>"}])"
    );
    const auto svg = draw_svg(make_diagram(graph, {"a\"b"}), "<&>");
    EXPECT_TRUE(is_well_formed(svg)) << svg;
    EXPECT_EQ(svg.find("<script"), std::string::npos);
    EXPECT_EQ(svg.find('\x1b'), std::string::npos);
    EXPECT_EQ(svg.find('\x01'), std::string::npos);
    EXPECT_NE(svg.find("cannot run here"), std::string::npos);
}

TEST(SvgDrawing, IsTheSameEveryTime) {
    const auto diagram = make_diagram(testing::support_graph(), {});
    EXPECT_EQ(draw_svg(diagram, "x"), draw_svg(diagram, "x"));
}

TEST(SvgDrawing, DrawsNothingAsAnEmptyPicture) {
    EXPECT_TRUE(is_well_formed(draw_svg(Diagram(), "")));
}

}  // namespace
}  // namespace flowspan::draw
