#include "flowspan/value/condition.hpp"

#include <gtest/gtest.h>

namespace flowspan::value {
namespace {

using Op = ComparisonOperator;

json::value parsed(std::string_view text) {
    return parse_json(text).value();
}

json::value file(std::string_view type, std::string_view name, std::string_view extension) {
    return {
        {kFileIdentityKey, kFileIdentity},
        {"type", type},
        {"filename", name},
        {"extension", extension},
        {"size", static_cast<std::int64_t>(name.size())},
    };
}

VariablePool sample() {
    VariablePool pool;
    pool.set("n", "text", Value::string("hello"));
    pool.set("n", "word", Value::string("ell"));
    pool.set("n", "five", Value::integer(5));
    pool.set("n", "flag", Value::boolean(true));
    pool.set("n", "flags", Value(parsed("[true, false]")));
    pool.set("n", "nothing", Value());
    pool.set("n", "key", Value::secret("0123456789"));
    pool.set(
        "n",
        "files",
        Value(json::value(
            json::array{file("image", "a.png", ".png"), file("document", "paper.pdf", ".pdf")}
        ))
    );
    pool.set("n", "no_files", Value::unchecked(json::array(), ValueType::array_file));
    return pool;
}

Condition condition(std::string name, Op op, json::value expected = {}) {
    return {{"n", std::move(name)}, op, std::move(expected), std::nullopt};
}

char outcome(const Condition& one) {
    const auto result = evaluate_conditions(sample(), {one}, LogicalOperator::and_);
    return !result ? 'E' : (result->is_met ? 'T' : 'F');
}

TEST(Conditions, ResolveTemplatesInTheExpectedText) {
    EXPECT_EQ(outcome(condition("text", Op::contains, "{{#n.word#}}")), 'T');
    EXPECT_EQ(outcome(condition("text", Op::contains, "n.word")), 'T');
    EXPECT_EQ(outcome(condition("text", Op::contains, "{{#n.gone#}}")), 'F');
    EXPECT_EQ(outcome(condition("text", Op::is, "h{{#n.word#}}o")), 'T');
    EXPECT_EQ(outcome(condition("five", Op::greater_or_equal, "{{#n.five#}}")), 'T');
    // Only text is a template, not the texts of a list.
    EXPECT_EQ(outcome(condition("word", Op::in, json::array{"{{#n.word#}}"})), 'F');
}

TEST(Conditions, ReadTheExpectedValueOfABooleanAsJson) {
    EXPECT_EQ(outcome(condition("flag", Op::is, "true")), 'T');
    EXPECT_EQ(outcome(condition("flag", Op::is, "True")), 'T');
    EXPECT_EQ(outcome(condition("flag", Op::is, "false")), 'F');
    EXPECT_EQ(outcome(condition("flag", Op::is, "1")), 'T');
    EXPECT_EQ(outcome(condition("flag", Op::is_not, "0")), 'T');
    EXPECT_EQ(outcome(condition("flag", Op::is, true)), 'T');
    EXPECT_EQ(outcome(condition("flag", Op::is, "yes")), 'E');
    EXPECT_EQ(outcome(condition("flag", Op::is, "")), 'E');
    EXPECT_EQ(outcome(condition("flag", Op::is, "\"true\"")), 'E');
    EXPECT_EQ(outcome(condition("flag", Op::not_empty, "")), 'T');
    EXPECT_EQ(outcome(condition("flags", Op::contains, "false")), 'T');
    EXPECT_EQ(outcome(condition("flags", Op::all_of, json::array{"true", "false"})), 'T');
    EXPECT_EQ(outcome(condition("flags", Op::all_of, json::array{"maybe"})), 'E');
}

TEST(Conditions, AnAbsentVariableIsAnErrorWhateverTheOperator) {
    for (const auto op : {Op::is, Op::empty, Op::not_exists, Op::null}) {
        const auto result =
            evaluate_conditions(sample(), {condition("gone", op, "x")}, LogicalOperator::or_);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::not_found);
        EXPECT_EQ(result.error().message, "Variable ['n', 'gone'] not found");
    }
    EXPECT_EQ(outcome(condition("nothing", Op::not_exists)), 'T');
    EXPECT_EQ(outcome(condition("nothing", Op::empty)), 'T');
}

TEST(Conditions, StopAtTheFirstDecisiveOne) {
    const auto yes = condition("text", Op::is, "hello");
    const auto no = condition("text", Op::is, "bye");
    const auto broken = condition("gone", Op::is, "x");
    const auto all = evaluate_conditions(sample(), {yes, no, broken}, LogicalOperator::and_);
    ASSERT_TRUE(all);
    EXPECT_FALSE(all->is_met);
    EXPECT_EQ(all->results, (std::vector<bool>{true, false}));
    EXPECT_EQ(all->inputs.size(), 2U);
    const auto any = evaluate_conditions(sample(), {no, yes, broken}, LogicalOperator::or_);
    ASSERT_TRUE(any);
    EXPECT_TRUE(any->is_met);
    EXPECT_FALSE(evaluate_conditions(sample(), {yes, broken}, LogicalOperator::and_));
}

TEST(Conditions, NoneAtAllIsTrueForAndFalseForOr) {
    EXPECT_TRUE(evaluate_conditions(sample(), {}, LogicalOperator::and_)->is_met);
    EXPECT_FALSE(evaluate_conditions(sample(), {}, LogicalOperator::or_)->is_met);
}

TEST(Conditions, RecordWhatWasComparedWithSecretsMasked) {
    const auto result = evaluate_conditions(
        sample(),
        {
            condition("text", Op::is_not, "x {{#n.key#}}"),
            condition("key", Op::not_empty),
            condition("text", Op::exists),
        },
        LogicalOperator::and_
    );
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->is_met);
    ASSERT_EQ(result->inputs.size(), 2U) << "exists compares with nothing";
    EXPECT_EQ(result->inputs[0].actual_value, json::value("hello"));
    EXPECT_EQ(result->inputs[0].expected_value, json::value("x 012345************89"));
    EXPECT_EQ(result->inputs[0].comparison_operator, Op::is_not);
    EXPECT_EQ(result->inputs[1].actual_value, json::value("012345************89"));
}

char file_outcome(std::string name, Op op, SubConditions sub) {
    auto one = condition(std::move(name), op);
    one.sub_conditions = std::move(sub);
    return outcome(one);
}

TEST(Conditions, TestAttributesOfFilesInALists) {
    const auto by = [](std::string key, Op op, json::value expected) {
        return SubConditions{LogicalOperator::and_, {{std::move(key), op, std::move(expected)}}};
    };
    // Any file suffices, except for operators with "not", which all files must meet.
    EXPECT_EQ(file_outcome("files", Op::contains, by("type", Op::in, json::array{"image"})), 'T');
    EXPECT_EQ(
        file_outcome("files", Op::contains, by("type", Op::not_in, json::array{"image"})), 'F'
    );
    EXPECT_EQ(
        file_outcome("files", Op::contains, by("type", Op::not_in, json::array{"audio"})), 'T'
    );
    EXPECT_EQ(file_outcome("files", Op::contains, by("name", Op::contains, "paper")), 'T');
    EXPECT_EQ(file_outcome("files", Op::contains, by("name", Op::not_contains, "paper")), 'F');
    EXPECT_EQ(file_outcome("files", Op::contains, by("size", Op::greater, "8")), 'T');
    EXPECT_EQ(file_outcome("files", Op::contains, by("size", Op::greater, "9")), 'F');
    EXPECT_EQ(file_outcome("files", Op::contains, by("extension", Op::is, "pdf")), 'T');
    EXPECT_EQ(file_outcome("files", Op::contains, by("extension", Op::is, ".pdf")), 'T');
    EXPECT_EQ(
        file_outcome("files", Op::contains, by("extension", Op::in, json::array{"pdf"})), 'E'
    );
    EXPECT_EQ(file_outcome("files", Op::contains, by("filename", Op::is, "a.png")), 'E');
    // The outer operator has no further effect.
    EXPECT_EQ(file_outcome("files", Op::not_contains, by("name", Op::contains, "paper")), 'T');
    EXPECT_EQ(file_outcome("no_files", Op::contains, by("name", Op::contains, "a")), 'F');
    EXPECT_EQ(file_outcome("no_files", Op::contains, by("name", Op::not_contains, "a")), 'T');
    EXPECT_EQ(outcome(condition("files", Op::contains, "x")), 'E');
    EXPECT_EQ(outcome(condition("files", Op::not_empty)), 'T');
}

TEST(Conditions, CombineSubConditionsByTheirOwnOperator) {
    const SubCondition image{"type", Op::is, "image"};
    const SubCondition audio{"type", Op::is, "audio"};
    EXPECT_EQ(file_outcome("files", Op::contains, {LogicalOperator::and_, {image, audio}}), 'F');
    EXPECT_EQ(file_outcome("files", Op::contains, {LogicalOperator::or_, {image, audio}}), 'T');
}

TEST(Conditions, AreReadFromTheAppFormat) {
    const auto conditions = parse_conditions(parsed(R"([
        {"id": "1", "variable_selector": ["n", "a"], "varType": "string",
         "comparison_operator": "≥", "value": "3"},
        {"variable_selector": ["n", "b"], "comparison_operator": "is", "value": 1},
        {"variable_selector": ["n", "c"], "comparison_operator": "exists"},
        {"variable_selector": ["n", "d"], "comparison_operator": "contains", "value": null,
         "sub_variable_condition": {"case_id": "x", "logical_operator": "or", "conditions": [
            {"key": "type", "comparison_operator": "in", "value": ["image"]}]}}
    ])"));
    ASSERT_TRUE(conditions) << conditions.error().message;
    ASSERT_EQ(conditions->size(), 4U);
    EXPECT_EQ((*conditions)[0].variable_selector, (Selector{"n", "a"}));
    EXPECT_EQ((*conditions)[0].comparison_operator, Op::greater_or_equal);
    EXPECT_EQ((*conditions)[0].expected, json::value("3"));
    EXPECT_EQ((*conditions)[1].expected, json::value(true));
    EXPECT_TRUE((*conditions)[2].expected.is_null());
    const auto& sub = (*conditions)[3].sub_conditions;
    ASSERT_TRUE(sub);
    EXPECT_EQ(sub->logical_operator, LogicalOperator::or_);
    EXPECT_EQ(sub->conditions.at(0).expected, parsed(R"(["image"])"));
}

TEST(Conditions, AreRefusedWithEveryPlaceNamed) {
    std::vector<ConditionProblem> problems;
    const auto data = parsed(R"([
        {"variable_selector": ["n", 1], "comparison_operator": "is null", "value": 2},
        "text",
        {"variable_selector": "n.a", "value": {}},
        {"variable_selector": ["n", "a"], "comparison_operator": "in", "value": ["x", 3]},
        {"variable_selector": ["n", "a"], "comparison_operator": "contains",
         "sub_variable_condition": {"logical_operator": "xor", "conditions": [{}]}},
        {"variable_selector": ["n", "a"], "comparison_operator": "contains",
         "sub_variable_condition": {}}
    ])");
    EXPECT_EQ(parse_conditions(data, problems).size(), 5U);
    std::vector<std::string> places;
    for (const auto& problem : problems) {
        places.push_back(problem.pointer);
        EXPECT_FALSE(problem.message.empty());
    }
    EXPECT_EQ(
        places,
        (std::vector<std::string>{
            "/0/variable_selector/1",
            "/0/comparison_operator",
            "/0/value",
            "/1",
            "/2/variable_selector",
            "/2/comparison_operator",
            "/2/value",
            "/3/value/1",
            "/4/sub_variable_condition/logical_operator",
            "/4/sub_variable_condition/conditions/0/key",
            "/4/sub_variable_condition/conditions/0/comparison_operator",
            "/5/sub_variable_condition/conditions",
        })
    );
    const auto first = parse_conditions(data);
    ASSERT_FALSE(first);
    EXPECT_TRUE(first.error().message.starts_with("/0/variable_selector/1 "))
        << first.error().message;
    EXPECT_FALSE(parse_conditions(parsed("{}")));
}

TEST(Conditions, KnowTwoLogicalOperators) {
    EXPECT_EQ(parse_logical_operator("and").value(), LogicalOperator::and_);
    EXPECT_EQ(parse_logical_operator("or").value(), LogicalOperator::or_);
    EXPECT_FALSE(parse_logical_operator("AND"));
}

}  // namespace
}  // namespace flowspan::value
