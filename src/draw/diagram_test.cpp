#include "draw/diagram.hpp"

#include "draw/box_detail.hpp"
#include "draw/label.hpp"
#include "draw/testing/sample_app.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace flowspan::draw {
namespace {

const Box& box_of(const Diagram& diagram, std::string_view id) {
    return *std::ranges::find(diagram.boxes, id, &Box::id);
}

TEST(Diagram, HasABoxANodeAndAnInnerDiagramAContainer) {
    const auto diagram = make_diagram(testing::support_graph(), {});
    ASSERT_EQ(diagram.boxes.size(), 6U);
    EXPECT_EQ(diagram.boxes.front().id, "s");
    EXPECT_EQ(diagram.arrows.size(), 6U);
    const auto& container = box_of(diagram, "i");
    ASSERT_EQ(container.inner.size(), 1U);
    ASSERT_EQ(container.inner[0].boxes.size(), 2U);
    EXPECT_EQ(container.inner[0].boxes[0].title, "each round");
    EXPECT_EQ(container.inner[0].arrows, (std::vector<Arrow>{{0, 0, 1}}));
}

TEST(Diagram, NamesThePortsOfBranchesAndLeavesOutThoseThatLeadNowhere) {
    const auto diagram = make_diagram(testing::support_graph(), {});
    EXPECT_EQ(
        box_of(diagram, "c").ports, (std::vector<Port>{{"1", "Refunds"}, {"2", "Everything else"}})
    );
    EXPECT_EQ(
        box_of(diagram, "h").ports,
        (std::vector<Port>{{"source", "success"}, {"fail-branch", "failure"}})
    );
    EXPECT_EQ(box_of(diagram, "s").ports, (std::vector<Port>{{"source", ""}}));
    EXPECT_TRUE(box_of(diagram, "e").ports.empty());
}

TEST(Diagram, MarksWhatCannotRunAndWhatIsNeverReached) {
    const auto graph = testing::load_graph(
        "[{id: s, data: {type: start}}, {id: a, data: {type: teleport}}, {id: b, data: {type: "
        "end}}]",
        "[{source: s, target: a}]"
    );
    const auto diagram = make_diagram(graph, {"a"});
    EXPECT_TRUE(box_of(diagram, "a").is_unsupported);
    EXPECT_FALSE(box_of(diagram, "a").is_unreached);
    EXPECT_FALSE(box_of(diagram, "b").is_unsupported);
    EXPECT_TRUE(box_of(diagram, "b").is_unreached);
}

TEST(BoxDetail, TellsWhatMattersOfEachKind) {
    struct Case {
        std::string_view type, data, detail;
    };

    for (const auto& [type, data, detail] : std::vector<Case>{
             {"llm", R"({"model": {"provider": "a/b/openai", "name": "gpt-4o"}})", "gpt-4o · openai"
             },
             {"llm", R"({"model": "gpt"})", ""},
             {"llm", R"({})", ""},
             {"agent",
              R"({"agent_strategy_label": "ReAct",
                  "agent_parameters": {"model": {"value": {"model": "m", "provider": "p"}}}})",
              "m · p · ReAct"},
             {"tool", R"({"tool_name": "search", "provider_id": "x/tavily"})", "search · tavily"},
             {"http-request",
              R"({"method": "post", "url": "http://me:pass@host:8080/p?q=a@b"})",
              "POST host:8080"},
             {"http-request", R"({"method": "GET", "url": "{{#env.BASE#}}/x"})", "GET {{BASE}}"},
             {"http-request", R"({"method": "GET", "url": "{{#env.BASE"})", "GET {{"},
             {"code", R"({"code_language": "python3"})", "python3"},
             {"loop", R"({"loop_count": 7})", "at most 7 rounds"},
             {"iteration", R"({"iterator_selector": ["n", "xs"]})", "for each of xs"},
             {"knowledge-retrieval", R"({"dataset_ids": ["a", "b"]})", "2 datasets"},
             {"assigner",
              R"({"items": [{"variable_selector": ["conversation", "x"]}]})",
              "conversation.x"},
             {"start", R"({"variables": [{"variable": "a"}, 5, {"variable": "b"}]})", "a, b"},
             {"answer", R"({"answer": "Hi {{#n.text#}}\nbye"})", "Hi {{text}} bye"},
             {"list-operator", R"({"variable": ["sys", "files"]})", "sys.files"},
             {"if-else", R"({})", ""},
             {"never-heard-of", R"({"model": {"name": "x"}})", ""},
         }) {
        dsl::NodeSpec spec;
        spec.type = type;
        spec.data = *parse_json(data);
        EXPECT_EQ(detail_of(spec), detail) << type << ' ' << data;
    }
}

TEST(BoxDetail, WritesConditionsOnTheCasesOfAnIfElse) {
    dsl::NodeSpec spec;
    spec.type = "if-else";
    spec.data = *parse_json(R"({"cases": [
        {"case_id": "a", "logical_operator": "or", "conditions": [
            {"variable_selector": ["n", "x"], "comparison_operator": "=", "value": "1"},
            {"variable_selector": ["sys", "query"], "comparison_operator": "empty", "value": ""}]},
        {"case_id": "b", "conditions": [
            {"variable_selector": ["n", "files"], "comparison_operator": "contains",
             "sub_variable_condition": {"conditions": [
                {"key": "type", "comparison_operator": "in", "value": ["image"]}]}}]}]})");
    EXPECT_EQ(
        ports_of(spec),
        (std::vector<Port>{
            {"a", "if x = 1 or sys.query empty"},
            {"b", R"(else if files contains type in ["image"])"},
            {"false", "else"},
        })
    );
    spec.data = *parse_json(R"({"conditions": [
        {"variable_selector": ["n", "x"], "comparison_operator": "is", "value": true}]})");
    EXPECT_EQ(ports_of(spec), (std::vector<Port>{{"true", "if x is true"}, {"false", "else"}}));
}

TEST(Label, MakesOneCleanLine) {
    EXPECT_EQ(to_single_line("  a\n\t b \x1b[31mc\x7f "), "a b [31mc");
    EXPECT_EQ(
        to_single_line("\xC2\x9B"
                       "x\xE2\x80\xAEy\xE2\x81\xA6z\xEF\xBF\xBF"),
        "x y z"
    );
    EXPECT_EQ(to_single_line("über 文\xFF"), "über 文\xEF\xBF\xBD");
    EXPECT_EQ(to_single_line("\n"), "");
}

TEST(Label, ClipsByColumnsAndNeverCutsACharacter) {
    EXPECT_EQ(clip("abc", 3), "abc");
    EXPECT_EQ(clip("abcd", 3), "ab…");
    EXPECT_EQ(clip("文文文", 6), "文文文");
    EXPECT_EQ(clip("文文文", 5), "文文…");
    EXPECT_EQ(clip("文文文", 4), "文…");
    EXPECT_EQ(clip("a b", 2), "a…");
    EXPECT_EQ(clip("", 0), "");
    for (std::size_t columns = 1; columns < 12; ++columns) {
        EXPECT_LE(display_width(clip("a文b文c文d", columns)), columns);
    }
}

}  // namespace
}  // namespace flowspan::draw
