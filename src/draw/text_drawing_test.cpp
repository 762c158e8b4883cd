#include "draw/text_drawing.hpp"

#include "draw/testing/sample_app.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace flowspan::draw {
namespace {

std::string draw(const dsl::Graph& graph, const TextOptions& options = {}) {
    return draw_text(make_diagram(graph, {"x"}), options);
}

TEST(TextDrawing, DrawsBranchesAsLanesAndContainersAsBoxes) {
    EXPECT_EQ(
        draw(testing::support_graph()),
        R"(▶ Start  start · question
◆ What is it about?  question-classifier · gpt-4o · openai
↓ Refunds
├─╮ Everything else
● │ Look up  http-request · GET api.example.com
↓ │ success
├─│─╮ failure
▣ │ │ Each order  iteration · for each of body, 4 at a time
│ │ │ ╭╴
│ │ │ │ ▶ each round  iteration-start
│ │ │ │ ● Write it down  template-transform
│ │ │ ╰╴
■ │ │ Done  end · text
  ├─╯
  ■ Sorry  end
)"
    );
}

TEST(TextDrawing, HasAFormWithoutUnicode) {
    const auto text = draw(testing::support_graph(), {.width = 0, .has_unicode = false});
    EXPECT_TRUE(text.starts_with("> Start  start - question\n? What is it about?")) << text;
    EXPECT_NE(text.find("+-|-\\ failure\n"), std::string::npos) << text;
}

TEST(TextDrawing, MarksWhatCannotRunAndWhatIsNeverReached) {
    const auto graph = testing::load_graph(
        "[{id: s, data: {type: start, title: S}}, {id: x, data: {type: teleport, title: X}}, "
        "{id: b, data: {type: end, title: B}}]",
        "[{source: s, target: x}]"
    );
    EXPECT_EQ(
        draw(graph), "▶ S  start\n✗ X  teleport  (cannot run here)\n■ B  end  (never reached)\n"
    );
}

TEST(TextDrawing, JoinsParallelWays) {
    const auto graph = testing::load_graph(
        "[{id: s, data: {type: start, title: S}}, {id: a, data: {type: code, title: A}}, "
        "{id: b, data: {type: code, title: B}}, {id: c, data: {type: code, title: C}}, "
        "{id: e, data: {type: end, title: E}}]",
        "[{source: s, target: a}, {source: s, target: b}, {source: s, target: c}, "
        "{source: a, target: e}, {source: b, target: e}, {source: c, target: e}]"
    );
    EXPECT_EQ(
        draw(graph),
        "▶ S  start\n├─┬─╮\n● │ │ A  code\n│ ● │ B  code\n│ │ ● C  code\n├─┴─╯\n■ E  end\n"
    );
}

TEST(TextDrawing, KeepsToTheWidthOfTheTerminal) {
    for (const std::size_t width : {30U, 40U, 60U, 80U, 100U}) {
        const auto text = draw(testing::support_graph(), {.width = width});
        for (const auto line : split(text, '\n')) {
            EXPECT_LE(display_width(line), std::max<std::size_t>(width, 60)) << line;
        }
    }
}

TEST(TextDrawing, NamesWhatDoesNotFitIntoLanes) {
    std::string nodes = "[{id: s, data: {type: start, title: S}}";
    std::string edges = "[";
    for (int i = 0; i < 100; ++i) {
        nodes += fmt::format(", {{id: n{0}, data: {{type: code, title: N{0}}}}}", i);
        edges += fmt::format("{}{{source: s, target: n{}}}", i == 0 ? "" : ", ", i);
    }
    const auto text = draw(testing::load_graph(nodes + "]", edges + "]"));
    for (const auto line : split(text, '\n')) {
        EXPECT_LE(display_width(line), 140U) << line;
    }
    EXPECT_NE(text.find("→ N99\n"), std::string::npos) << text;
    EXPECT_EQ(split(text, '\n').size(), 1 + 1 + 60 + 100 + 1U) << text;
}

}  // namespace
}  // namespace flowspan::draw
