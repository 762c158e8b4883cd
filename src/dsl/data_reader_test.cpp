#include "dsl/data_reader.hpp"

#include <gtest/gtest.h>

namespace flowspan::dsl {
namespace {

using Severity = Problem::Severity;

NodeSpec node_with(std::string_view data) {
    NodeSpec spec;
    spec.id = "17";
    spec.title = "Ask";
    spec.type = "llm";
    spec.data = parse_json(data).value();
    return spec;
}

TEST(DataReader, ReadsEveryKindOfField) {
    const auto spec = node_with(R"({
        "text": "a", "integer": 3, "number": 0.5, "flag": true, "empty": null,
        "selector": ["n", "x"], "selectors": [["n", "x"], ["m", "y"]], "texts": ["a", "b"],
        "template": "Hi {{#n.x#}}", "type": "array[string]", "order": "desc",
        "model": {"name": "m", "params": {"t": 1}},
        "messages": [{"role": "user"}, {"role": "system"}],
        "conditions": [{"variable_selector": ["n", "x"], "comparison_operator": "empty"}],
        "logical_operator": "or"
    })");
    std::vector<Problem> problems;
    const DataReader reader(spec, problems);
    EXPECT_EQ(reader.text("text"), "a");
    EXPECT_EQ(reader.text("none", "fallback"), "fallback");
    EXPECT_EQ(reader.text("empty", "fallback"), "fallback");
    EXPECT_EQ(reader.required_integer("integer"), 3);
    EXPECT_EQ(reader.required_number("number"), 0.5);
    EXPECT_TRUE(reader.required_boolean("flag"));
    EXPECT_TRUE(reader.has("text"));
    EXPECT_FALSE(reader.has("empty"));
    EXPECT_EQ(reader.optional_integer("none"), std::nullopt);
    EXPECT_EQ(reader.required_selector("selector"), (value::Selector{"n", "x"}));
    EXPECT_EQ(reader.selectors("selectors").size(), 2U);
    EXPECT_EQ(reader.texts("texts"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(reader.text_template("template").references().size(), 1U);
    EXPECT_EQ(reader.value_type("type"), value::ValueType::array_string);
    EXPECT_EQ(reader.enumeration("order", {{"asc", 1}, {"desc", 2}}, 0), 2);
    EXPECT_EQ(reader.enumeration("none", {{"asc", 1}, {"desc", 2}}, 0), 0);
    EXPECT_EQ(reader.object("model").required_text("name"), "m");
    EXPECT_EQ(reader.integer("/model/params/t", 0), 1);
    EXPECT_EQ(reader.text("/messages/1/role"), "system");
    EXPECT_EQ(reader.objects("messages").at(1).required_text("role"), "system");
    EXPECT_EQ(reader.members("model").at(1).key(), "params");
    EXPECT_EQ(reader.conditions("conditions").size(), 1U);
    EXPECT_EQ(reader.logical_operator("logical_operator"), value::LogicalOperator::or_);
    EXPECT_FALSE(reader.object("none").exists());
    EXPECT_EQ(reader.object("none").text("x", "y"), "y");
    EXPECT_TRUE(reader.is_valid());
    EXPECT_TRUE(problems.empty());
}

TEST(DataReader, ConvertsAsLaxlyAsTheAppFormat) {
    struct Case {
        std::string_view data;
        std::optional<std::int64_t> integer;
        std::optional<double> number;
        std::optional<bool> boolean;
        bool is_text;
    };

    const Case cases[] = {
        {"3", 3, 3.0, std::nullopt, false},
        {"3.0", 3, 3.0, std::nullopt, false},
        {"3.5", std::nullopt, 3.5, std::nullopt, false},
        {"1e300", std::nullopt, 1e300, std::nullopt, false},
        {"\"3\"", 3, 3.0, std::nullopt, true},
        {"\" +3 \"", 3, 3.0, std::nullopt, true},
        {"\"3.5\"", std::nullopt, 3.5, std::nullopt, true},
        {"\"three\"", std::nullopt, std::nullopt, std::nullopt, true},
        {"\"\"", std::nullopt, std::nullopt, std::nullopt, true},
        {"true", 1, 1.0, true, false},
        {"false", 0, 0.0, false, false},
        {"0", 0, 0.0, false, false},
        {"1.0", 1, 1.0, true, false},
        {"\"YES\"", std::nullopt, std::nullopt, true, true},
        {"\"off\"", std::nullopt, std::nullopt, false, true},
        {"\"n\"", std::nullopt, std::nullopt, false, true},
        {"[]", std::nullopt, std::nullopt, std::nullopt, false},
        {"{}", std::nullopt, std::nullopt, std::nullopt, false},
    };
    for (const auto& test : cases) {
        const auto data = parse_json(test.data).value();
        EXPECT_EQ(to_integer(data), test.integer) << test.data;
        EXPECT_EQ(to_number(data), test.number) << test.data;
        EXPECT_EQ(to_boolean(data), test.boolean) << test.data;

        const auto spec = node_with(std::string(R"({"x": )") + std::string(test.data) + "}");
        std::vector<Problem> problems;
        EXPECT_EQ(DataReader(spec, problems).optional_text("x").has_value(), test.is_text);
        EXPECT_EQ(problems.empty(), test.is_text) << test.data;
    }
}

struct WrongCase {
    std::string_view data;
    void (*read)(const DataReader& reader);
    std::string_view code;
    std::string_view message;
};

TEST(DataReader, ReportsWhatIsWrongAndGoesOn) {
    const WrongCase cases[] = {
        {"{}",
         [](const DataReader& r) { EXPECT_EQ(r.required_text("title"), ""); },
         "node.missing_field",
         "node \"Ask\" (17): `title` is missing; add it to the node's data"},
        {"{}",
         [](const DataReader& r) {
             EXPECT_EQ(r.required_object("model").required_text("name"), "");
         },
         "node.missing_field",
         "node \"Ask\" (17): `model` is missing; add it to the node's data"},
        {R"({"title": null})",
         [](const DataReader& r) { EXPECT_EQ(r.required_integer("title"), 0); },
         "node.missing_field",
         "node \"Ask\" (17): `title` is missing; add it to the node's data"},
        {R"({"title": 5})",
         [](const DataReader& r) { EXPECT_EQ(r.text("title", "f"), "f"); },
         "node.invalid_data",
         "node \"Ask\" (17): `title` must be text, but is a number; put it in quotes"},
        {R"({"model": []})",
         [](const DataReader& r) { EXPECT_FALSE(r.object("model").exists()); },
         "node.invalid_data",
         "node \"Ask\" (17): `model` must be a mapping, but is a list"},
        {R"({"a": {"b": [{"c": 1}]}})",
         [](const DataReader& r) { EXPECT_EQ(r.object("a").objects("b").at(0).text("c"), ""); },
         "node.invalid_data",
         "node \"Ask\" (17): `a.b[0].c` must be text, but is a number; put it in quotes"},
        {R"({"list": ["x"]})",
         [](const DataReader& r) { EXPECT_TRUE(r.objects("list").empty()); },
         "node.invalid_data",
         "node \"Ask\" (17): `list[0]` must be a mapping, but is text"},
        {R"({"list": "x"})",
         [](const DataReader& r) { EXPECT_TRUE(r.required_list("list").empty()); },
         "node.invalid_data",
         "node \"Ask\" (17): `list` must be a list, but is text"},
        {R"({"s": [17, "x"]})",
         [](const DataReader& r) { EXPECT_EQ(r.selector("s"), value::Selector{"x"}); },
         "node.invalid_data",
         "node \"Ask\" (17): `s[0]` must be text, but is a number; put it in quotes"},
        {R"({"s": "n.x"})",
         [](const DataReader& r) { EXPECT_TRUE(r.required_selector("s").empty()); },
         "node.invalid_data",
         "node \"Ask\" (17): `s` must be a list such as [node id, variable name], but is text"},
        {R"({"t": ["a", 1]})",
         [](const DataReader& r) { EXPECT_EQ(r.texts("t").size(), 2U); },
         "node.invalid_data",
         "node \"Ask\" (17): `t[1]` must be text, but is a number; put it in quotes"},
        {R"({"order": "up"})",
         [](const DataReader& r) {
             EXPECT_EQ(r.enumeration("order", {{"asc", 1}, {"desc", 2}}, 1), 1);
         },
         "node.invalid_data",
         "node \"Ask\" (17): `order` must be one of `asc`, `desc`, but is `up`"},
        {"{}",
         [](const DataReader& r) {
             EXPECT_EQ(r.required_enumeration("order", {{"asc", 1}}, 7), 7);
         },
         "node.missing_field",
         "node \"Ask\" (17): `order` is missing; add it to the node's data"},
        {R"({"type": "text"})",
         [](const DataReader& r) { EXPECT_EQ(r.value_type("type"), std::nullopt); },
         "node.invalid_data",
         "node \"Ask\" (17): `type` must be a type such as `string`, but is `text`"},
        {R"({"c": [{"variable_selector": ["a", "b"], "comparison_operator": "is", "value": 7}]})",
         [](const DataReader& r) { EXPECT_EQ(r.conditions("c").size(), 1U); },
         "node.invalid_data",
         "node \"Ask\" (17): `c[0].value` must be text, a list of text, true, false or empty; put "
         "the number in quotes"},
        {R"({"n": 0})",
         [](const DataReader& r) { r.report("n", "must be at least 1"); },
         "node.invalid_data",
         "node \"Ask\" (17): `n` must be at least 1"},
    };
    for (const auto& test : cases) {
        const auto spec = node_with(test.data);
        std::vector<Problem> problems;
        const DataReader reader(spec, problems);
        test.read(reader);
        ASSERT_FALSE(problems.empty()) << test.message;
        EXPECT_EQ(problems[0].code, test.code);
        EXPECT_EQ(problems[0].message, test.message);
        EXPECT_EQ(problems[0].severity, Severity::node_error);
        EXPECT_FALSE(reader.is_valid());
    }
}

TEST(DataReader, OnlyWarnsOfASelectorThatNamesNothingYet) {
    const auto spec = node_with(R"({"s": []})");
    std::vector<Problem> problems;
    const DataReader reader(spec, problems);
    EXPECT_TRUE(reader.required_selector("s").empty());
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].severity, Severity::warning);
    EXPECT_TRUE(reader.is_valid());
}

TEST(DataReader, StopsListingProblemsAfterAHundred) {
    NodeSpec spec;
    spec.data = {{"list", json::array(1000, json::value(1))}};
    std::vector<Problem> problems(3);
    const DataReader reader(spec, problems);
    EXPECT_EQ(reader.texts("list").size(), 1000U);
    EXPECT_EQ(problems.size(), 103U);
    EXPECT_FALSE(reader.is_valid());
}

TEST(DataReader, PutsEveryProblemAtItsPlaceInTheFile) {
    auto spec = node_with(R"({"model": {"name": 1}, "a/b": {"~": 2}})");
    auto& positions = spec.positions;
    positions.open("", {10, 3});
    positions.open("model", {11, 5});
    positions.open("name", {12, 7});
    positions.close();
    positions.close();
    positions.open("a/b", {13, 5});
    positions.open("~", {14, 7});
    positions.close();
    positions.close();
    positions.close();
    std::vector<Problem> problems;
    const DataReader reader(spec, problems);
    const auto model = reader.object("model");
    EXPECT_EQ(model.text("name"), "");
    EXPECT_EQ(model.required_text("provider"), "");
    EXPECT_EQ(reader.required_text("title"), "");
    EXPECT_EQ(reader.object("a/b").text("~"), "");
    EXPECT_EQ(reader.object("a/b").key(), "a/b");
    ASSERT_EQ(problems.size(), 4U);
    EXPECT_EQ(problems[0].position, (SourcePosition{12, 7}));
    EXPECT_EQ(problems[1].position, (SourcePosition{11, 5})) << "the nearest parent";
    EXPECT_EQ(problems[2].position, (SourcePosition{10, 3}));
    EXPECT_EQ(problems[3].position, (SourcePosition{14, 7}));
}

}  // namespace
}  // namespace flowspan::dsl
