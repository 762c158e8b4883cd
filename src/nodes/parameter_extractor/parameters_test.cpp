#include "nodes/parameter_extractor/parameters.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes::parameter_extractor {
namespace {

std::vector<Parameter> parameters_from(std::string_view list) {
    dsl::NodeSpec spec;
    spec.data = {{"parameters", parse_json(list).value()}};
    std::vector<dsl::Problem> problems;
    auto parameters = read_parameters(dsl::DataReader(spec, problems), "parameters");
    EXPECT_TRUE(problems.empty()) << list;
    return parameters;
}

struct Row {
    std::string_view parameter;
    std::string_view reply;
    std::string_view mistake;
    std::string_view output;
};

TEST(ExtractedParameters, AreCheckedAndMadeToFit) {
    const Row rows[] = {
        {R"({"name": "x", "type": "string"})", R"({"x": "a"})", "", R"("a")"},
        {R"({"name": "x", "type": "string"})",
         R"({"x": 1})",
         "Invalid value for parameter x, expected string",
         R"("")"},
        {R"({"name": "x", "type": "number"})", R"({"x": 1.5})", "", "1.5E0"},
        {R"({"name": "x", "type": "number"})",
         R"({"x": "12"})",
         "Invalid value for parameter x, expected number",
         "12"},
        {R"({"name": "x", "type": "number"})", R"({"x": true})", "", "1"},
        {R"({"name": "x", "type": "number"})",
         R"({"x": "many"})",
         "Invalid value for parameter x, expected number",
         "0"},
        {R"({"name": "x", "type": "bool"})", R"({"x": true})", "", "true"},
        {R"({"name": "x", "type": "boolean"})",
         R"({"x": 1})",
         "Invalid value for parameter x, expected boolean",
         "true"},
        {R"({"name": "x", "type": "boolean"})",
         R"({"x": "yes"})",
         "Invalid value for parameter x, expected boolean",
         "false"},
        {R"({"name": "x", "type": "select", "options": ["a", "b"]})", R"({"x": "b"})", "", R"("b")"
        },
        {R"({"name": "x", "type": "select", "options": ["a", "b"]})",
         R"({"x": "c"})",
         "Invalid `select` value for parameter x",
         R"("c")"},
        {R"({"name": "x", "type": "array[string]"})",
         R"({"x": ["a", 1]})",
         "Invalid value for parameter x, expected array[string]",
         R"(["a"])"},
        {R"({"name": "x", "type": "array[number]"})", R"({"x": [1, 2.5]})", "", "[1,2.5E0]"},
        {R"({"name": "x", "type": "array[object]"})", R"({"x": [{}]})", "", "[{}]"},
        {R"({"name": "x", "type": "array[boolean]"})",
         R"({"x": "no"})",
         "Invalid value for parameter x, expected array[boolean]",
         "[]"},
        {R"({"name": "x", "type": "string", "required": true})",
         R"({"y": "a"})",
         "Parameter x is required",
         R"("")"},
        {R"({"name": "x", "type": "string"})", R"({"y": "a"})", "", R"("")"},
        {R"({"name": "x", "type": "string"})", "{}", "Invalid number of parameters", R"("")"},
        {R"({"name": "x", "type": "string"})",
         R"({"x": null})",
         "Invalid value for parameter x, expected string",
         R"("")"},
    };
    for (const auto& row : rows) {
        const auto parameters = parameters_from("[" + std::string(row.parameter) + "]");
        const auto reply = parse_json(row.reply).value().as_object();
        EXPECT_EQ(find_mistake(reply, parameters), row.mistake) << row.parameter << row.reply;
        EXPECT_EQ(to_json_text(to_outputs(reply, parameters).at(0).value.json()), row.output)
            << row.parameter << row.reply;
    }
}

TEST(ExtractedParameters, AreDescribedByASchema) {
    const auto parameters = parameters_from(R"([
        {"name": "a", "type": "select", "options": ["x"], "description": "A", "required": true},
        {"name": "b", "type": "array[number]", "description": "B"}])");
    EXPECT_EQ(
        json::value(to_schema(parameters)),
        parse_json(R"({"type": "object", "properties": {
            "a": {"description": "A", "type": "string", "enum": ["x"]},
            "b": {"description": "B", "type": "array", "items": {"type": "number"}}},
            "required": ["a"]})")
            .value()
    );
}

}  // namespace
}  // namespace flowspan::nodes::parameter_extractor
