#include "nodes/code/output_check.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes::code {
namespace {

struct Outcome {
    std::string outputs;
    std::string error;
    std::string type;
};

Outcome check(std::string_view fields, std::string_view result, const Limits& limits = {}) {
    dsl::NodeSpec spec;
    spec.data = {{"outputs", parse_json(fields).value()}};
    std::vector<dsl::Problem> problems;
    const dsl::DataReader reader(spec, problems);
    const auto read = read_output_fields(reader, "outputs");
    EXPECT_TRUE(problems.empty()) << fields;
    const auto checked = check_outputs(parse_json(result).value().as_object(), read, limits);
    if (checked) {
        return {to_json_text(*checked), "", ""};
    }
    return {"", checked.error().full_text(), checked.error().type};
}

struct Row {
    std::string_view fields;
    std::string_view result;
    std::string_view expected;  // JSON of the outputs, or the error's text
};

TEST(OutputCheck, AcceptsAndConvertsWhatIsDeclared) {
    const Row rows[] = {
        {R"({"x": {"type": "string"}})", R"({"x": "a\u0000b"})", R"({"x":"ab"})"},
        {R"({"x": {"type": "string"}})", R"({"x": null})", R"({"x":null})"},
        {R"({"x": {"type": "number"}})", R"({"x": true})", R"({"x":1})"},
        {R"({"x": {"type": "number"}})",
         R"({"x": -9223372036854775807})",
         R"({"x":-9223372036854775807})"},
        {R"({"x": {"type": "number"}})", R"({"x": "-2e3"})", R"({"x":-2E3})"},
        {R"({"x": {"type": "boolean"}})", R"({"x": "anything"})", R"({"x":"anything"})"},
        {R"({"x": {"type": "array[number]"}})", R"({"x": [1, true, 0.5]})", R"({"x":[1,1,5E-1]})"},
        {R"({"x": {"type": "array[string]"}})", R"({"x": ["a", null]})", R"({"x":["a",null]})"},
        {R"({"x": {"type": "array[boolean]"}})", R"({"x": [true, null]})", R"({"x":[true,null]})"},
        {R"({"x": {"type": "array[object]"}})",
         R"({"x": [{"a": [1, 2.5, null]}, null]})",
         R"({"x":[{"a":[1,2.5E0,null]},null]})"},
        {R"({"x": {"type": "object", "children": {"a": {"type": "number"}}}})",
         R"({"x": {"a": 1}})",
         R"({"x":{"a":1}})"},
        {R"({"x": {"type": "object"}})",
         R"({"x": {"a": [null, 1, "b"], "b": [[1], [2]]}})",
         R"({"x":{"a":[null,1,"b"],"b":[[1],[2]]}})"},
    };
    for (const auto& row : rows) {
        const auto outcome = check(row.fields, row.result);
        EXPECT_EQ(outcome.outputs, row.expected) << row.result << ' ' << outcome.error;
    }
}

TEST(OutputCheck, NamesWhatIsWrong) {
    const Row rows[] = {
        {R"({"x": {"type": "string"}})", "{}", "Output x is missing."},
        {R"({"x": {"type": "string"}})",
         R"({"x": 1})",
         "Output x must be a string, got int instead."},
        {R"({"x": {"type": "number"}})",
         R"({"x": "1"})",
         "Output x is not a number, got str instead."},
        {R"({"x": {"type": "number"}})",
         R"({"x": 9223372036854775808})",
         "Output variable `x` is out of range, it must be between -9223372036854775807 and "
         "9223372036854775807."},
        {R"({"x": {"type": "number"}})",
         R"({"x": 1.5e-21})",
         "Output variable `x` has too high precision, it must be less than 20 digits."},
        {R"({"x": {"type": "object"}})",
         R"({"x": []})",
         "Output x is not an object, got list instead."},
        {R"({"x": {"type": "object", "children": {"a": {"type": "number"}}}})",
         R"({"x": {"a": "b"}})",
         "Output x.a is not a number, got str instead."},
        {R"({"x": {"type": "object"}})",
         R"({"x": {"a": [1, "b"]}})",
         "Output x.a is not a valid array. make sure all elements are of the same type."},
        {R"({"x": {"type": "array[number]"}})",
         R"({"x": [null]})",
         "Output x[0] is not a number, got NoneType instead."},
        {R"({"x": {"type": "array[string]"}})",
         R"({"x": {}})",
         "Output x is not an array, got dict instead."},
        {R"({"x": {"type": "array[string]"}})",
         R"({"x": ["a", 2]})",
         "Output x[1] must be a string, got int instead."},
        {R"({"x": {"type": "array[boolean]"}})",
         R"({"x": [1]})",
         "Output x[0] is not a boolean, got int instead."},
        {R"({"x": {"type": "array[object]"}})",
         R"({"x": ["a"]})",
         "Output x[0] is not an object, got str instead."},
    };
    for (const auto& row : rows) {
        const auto outcome = check(row.fields, row.result);
        EXPECT_EQ(outcome.error, row.expected) << row.result;
        EXPECT_EQ(outcome.type, "OutputValidationError") << row.result;
    }
}

TEST(OutputCheck, RefusesMembersThatAreNotDeclared) {
    const auto outcome = check(R"({"x": {"type": "number"}})", R"({"x": 1, "y": 2})");
    EXPECT_EQ(outcome.error, "Not all output parameters are validated.");
    EXPECT_EQ(outcome.type, "CodeNodeError");
}

TEST(OutputCheck, HasLimits) {
    Limits limits;
    limits.code_text_length_max = 3;
    limits.code_text_array_length_max = 2;
    EXPECT_EQ(
        check(R"({"x": {"type": "string"}})", "{\"x\": \"\u00e9\u00e9\u00e9\"}", limits).error, ""
    );
    EXPECT_EQ(
        check(R"({"x": {"type": "string"}})", R"({"x": "abcd"})", limits).error,
        "The length of output variable `x` must be less than 3 characters"
    );
    EXPECT_EQ(
        check(R"({"x": {"type": "array[string]"}})", R"({"x": ["a", "b"]})", limits).error, ""
    );
    EXPECT_EQ(
        check(R"({"x": {"type": "array[string]"}})", R"({"x": ["a", "b", "c"]})", limits).error,
        "The length of output variable `x` must be less than 2 elements."
    );
}

TEST(OutputCheck, LimitsDepth) {
    const std::string four = R"({"x": {"a": {"a": {"a": {"a": 1}}}}})";
    EXPECT_EQ(check(R"({"x": {"type": "object"}})", four).error, "");
    const std::string five = R"({"x": {"a": {"a": {"a": {"a": {"a": 1}}}}}})";
    const auto outcome = check(R"({"x": {"type": "object"}})", five);
    EXPECT_EQ(outcome.error, "Depth limit 5 reached, object too deep.");
    EXPECT_EQ(outcome.type, "DepthLimitError");
}

}  // namespace
}  // namespace flowspan::nodes::code
