#include "dsl/detail/yaml.hpp"

#include "dsl/detail/yaml_scalar.hpp"
#include "flowspan/value/value.hpp"

#include <gtest/gtest.h>

namespace flowspan::dsl::detail {
namespace {

TEST(YamlScalar, IsReadByTheRulesOfYaml11) {
    struct Case {
        std::string_view text;
        std::string_view json;
    };

    // Checked against PyYAML's safe loader.
    const Case cases[] = {
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"NULL", "null"},
        {"nULL", "\"nULL\""},
        {"yes", "true"},
        {"No", "false"},
        {"ON", "true"},
        {"off", "false"},
        {"y", "\"y\""},
        {"tRue", "\"tRue\""},
        {"0", "0"},
        {"-0", "0"},
        {"+12", "12"},
        {"1_000", "1000"},
        {"012", "10"},
        {"-012", "-10"},
        {"09", "\"09\""},
        {"0o17", "\"0o17\""},
        {"0x1F", "31"},
        {"-0xff", "-255"},
        {"0b101", "5"},
        {"0x_", "\"0x_\""},
        {"12:30", "750"},
        {"1:2:3", "3723"},
        {"-1:30", "-90"},
        {"0:30", "\"0:30\""},
        {"12:60", "\"12:60\""},
        {"12:305", "\"12:305\""},
        {"1:30.5", "90.5"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", "9.223372036854776e+18"},
        {"1.5", "1.5"},
        {"1.", "1.0"},
        {".5", "0.5"},
        {"-.5", "\"-.5\""},
        {"-1.5", "-1.5"},
        {"1e3", "\"1e3\""},
        {"1.0e3", "\"1.0e3\""},
        {"1.0e+3", "1000.0"},
        {"1.5E-3", "0.0015"},
        {"1_0.5_0", "10.5"},
        {".inf", "Infinity"},
        {"-.INF", "-Infinity"},
        {".nan", "NaN"},
        {"+.nan", "\"+.nan\""},
        {"1.2.3", "\"1.2.3\""},
        {"0.1.5", "\"0.1.5\""},
        {".", "\".\""},
        {"-", "\"-\""},
        {"...", "\"...\""},
        {"2024-01-01", "\"2024-01-01\""},
        {"=", "\"=\""},
        {"1711111111111", "1711111111111"},
        {"1,2", "\"1,2\""},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(value::python_json(resolve_plain_scalar(test.text)), test.json) << test.text;
    }
}

std::string parsed(std::string_view text) {
    std::vector<Problem> problems;
    const auto document = parse_yaml(text, problems);
    if (!document) {
        return problems.empty() ? "no reason given" : problems[0].code;
    }
    return value::python_json(document->data) + (problems.empty() ? "" : " " + problems[0].code);
}

TEST(Yaml, BecomesJson) {
    struct Case {
        std::string_view text;
        std::string_view result;
    };

    const Case cases[] = {
        {"", "null"},
        {"# only a comment", "null"},
        {"a: 1\nb: [x, 'yes', \"no\", yes]\n", R"({"a": 1, "b": ["x", "yes", "no", true]})"},
        {"a: |\n  1\n  2\n", R"({"a": "1\n2\n"})"},
        {"a: >-\n  1\n  2\n", R"({"a": "1 2"})"},
        {"\"a \\\n  b\"", R"("a b")"},
        {"'a\n\n\n  '", R"("a\n\n")"},
        {"\"\\/ \\u4e2d \\U0001F600\"", "\"/ \u4e2d \U0001F600\""},
        {"a: 1\na: 2", R"({"a": 2})"},
        {"1: a\ntrue: b\n~: c", R"({"1": "a", "true": "b", "~": "c"})"},
        {"a:\n", R"({"a": null})"},
        {"a: !!null ''", R"({"a": null})"},
        {"a: !!str 5\nb: !!int '5'\nc: !!float '5'\nd: !!bool 'yes'",
         R"({"a": "5", "b": 5, "c": 5.0, "d": true})"},
        {"a: !!map {b: !!seq [1]}\n!!str c: !<tag:yaml.org,2002:float> 1.5",
         R"({"a": {"b": [1]}, "c": 1.5})"},
        {"a: !!int x", R"({"a": "x"} parse.invalid_value)"},
        {"a: !!seq {b: 1}", R"({"a": {"b": 1}} parse.unsupported_tag)"},
        {"a: !!python/name:os.system x", R"({"a": "x"} parse.unsupported_tag)"},
        {"a: !x {b: 1}", R"({"a": {"b": 1}} parse.unsupported_tag)"},
        {"a: &x [1]\nb: *x", R"({"a": [1], "b": [1]})"},
        {"a: &x k\n*x : 1", R"({"a": "k", "k": 1})"},
        {"a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}",
         R"({"a": {"p": 1, "q": 2}, "b": {"q": 3, "p": 1}})"},
        {"a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}",
         R"({"a": {"p": 1}, "b": {"p": 2, "q": 2}, "c": {"p": 1, "q": 2}})"},
        {"b: {<<: 3}", R"({"b": {}} parse.invalid_merge)"},
        {"'<<': 3", R"({"<<": 3})"},
        {"a: &x [*x]", "parse.recursive_alias"},
        {"a: *x", "parse.unknown_alias"},
        {"? [a]\n: 1", "parse.invalid_key"},
        {"{a: b}: 1", "parse.invalid_key"},
        {"a: 1\n---\nb: 2", "parse.several_documents"},
        {"---\na: 1\n...\n", R"({"a": 1})"},
        {"a: [1", "parse.invalid_yaml"},
        {"a: 'x", "parse.invalid_yaml"},
        {"\ta: 1", "parse.invalid_yaml"},
        {"a: b: c", "parse.invalid_yaml"},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(parsed(test.text), test.result) << test.text;
    }
}

TEST(Yaml, RefusesAliasesThatRepeatTooMuch) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int n = 1; n < 10; ++n) {
            bomb += ", " + before;
        }
        bomb += "]\n";
    }
    EXPECT_EQ(parsed(bomb), "parse.too_many_aliases");

    // Anchors inside anchors keep a copy at every level.
    std::string nested = "x: ";
    for (int i = 0; i < 100; ++i) {
        nested += "&n" + std::to_string(i) + " [";
    }
    nested += "'" + std::string(1'000'000, 'x') + "'" + std::string(100, ']');
    EXPECT_EQ(parsed(nested), "parse.too_many_aliases");

    // So does a large text.
    std::string text = "t: &t '" + std::string(1'000'000, 'x') + "'\nl:\n";
    for (int i = 0; i < 100; ++i) {
        text += "- *t\n";
    }
    EXPECT_EQ(parsed(text), "parse.too_many_aliases");
}

TEST(Yaml, RefusesDeepNesting) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_EQ(parsed(nested(kJsonDepthMax)).substr(0, 2), "[[");
    EXPECT_EQ(parsed(nested(kJsonDepthMax + 1)), "parse.too_deep");
    EXPECT_EQ(parsed(nested(100'000)), "parse.too_deep");
}

TEST(Yaml, KnowsThePlaceOfEveryPart) {
    std::vector<Problem> problems;
    const auto document =
        parse_yaml("a: 1\nlist:\n  - name: x\n    deep: {k: v}\n  - y\n", problems);
    ASSERT_TRUE(document);
    const auto& positions = document->positions;
    EXPECT_EQ(positions.find(""), (SourcePosition{1, 1}));
    EXPECT_EQ(positions.find("/a"), (SourcePosition{1, 1}));
    EXPECT_EQ(positions.find("/list"), (SourcePosition{2, 1}));
    EXPECT_EQ(positions.find("/list/0"), (SourcePosition{3, 5}));
    EXPECT_EQ(positions.find("/list/0/deep"), (SourcePosition{4, 5}));
    EXPECT_EQ(positions.find("/list/0/deep/k"), (SourcePosition{4, 12}));
    EXPECT_EQ(positions.find("/list/1"), (SourcePosition{5, 5}));
}

TEST(Yaml, SaysWhereASyntaxErrorIs) {
    std::vector<Problem> problems;
    EXPECT_FALSE(parse_yaml("a: 1\nb: [2\nc: 3\n", problems));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_GE(problems[0].position.line, 2U);
    EXPECT_EQ(problems[0].message.find("Invalid YAML format: "), 0U) << problems[0].message;
}

}  // namespace
}  // namespace flowspan::dsl::detail
