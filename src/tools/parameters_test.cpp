#include "tools/parameters.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace flowspan::tools {
namespace {

TEST(ToolParameters, CastArgumentsByDeclaredType) {
    struct Row {
        std::string_view type;
        std::string_view given;
        std::string_view expected;  ///< empty: refused
    };

    const Row rows[] = {
        {"string", "5", "\"5\""},
        {"string", "null", "\"\""},
        {"secret-input", "\"x\"", "\"x\""},
        {"select", "true", "\"True\""},
        {"number", "\"12\"", "12"},
        {"number", "\"1.5\"", "1.5E0"},
        {"number", "7", "7"},
        {"number", "\"abc\"", ""},
        {"number", "\"\"", "null"},
        {"boolean", "\"Yes\"", "true"},
        {"boolean", "\"n\"", "false"},
        {"boolean", "\"0\"", "false"},
        {"boolean", "\"whatever\"", "true"},
        {"boolean", "\"\"", "false"},
        {"boolean", "null", "false"},
        {"file", "[{\"a\":1}]", "{\"a\":1}"},
        {"file", "[1,2]", ""},
        {"files", "{\"a\":1}", "[{\"a\":1}]"},
        {"array", "\"[1, 2]\"", "[1,2]"},
        {"array", "\"x\"", "[\"x\"]"},
        {"object", "\"{\\\"a\\\": 1}\"", "{\"a\":1}"},
        {"object", "\"x\"", "{}"},
        {"model-selector", "{\"m\":1}", "{\"m\":1}"},
        {"app-selector", "\"x\"", ""},
        {"unheard-of", "[1]", "[1]"},
    };
    for (const auto& row : rows) {
        const ToolParameter parameter{.name = "p", .type = parse_parameter_type(row.type)};
        const auto result = cast_argument(parameter, parse_json(row.given).value());
        if (row.expected.empty()) {
            ASSERT_FALSE(result) << row.type << ' ' << row.given;
            EXPECT_EQ(result.error().type, "ToolParameterError");
        } else {
            ASSERT_TRUE(result) << row.type << ' ' << row.given;
            EXPECT_EQ(to_json_text(*result), row.expected) << row.type << ' ' << row.given;
        }
    }
}

TEST(ToolParameters, ReadDeclarationsAndGiveModelsWhatTheyFillIn) {
    const auto parameters = read_parameters(parse_json(R"([
        {"name": "q", "type": "string", "required": true, "form": "llm",
         "llm_description": "what to look for"},
        {"name": "mode", "type": "select", "form": "llm", "options": [{"value": "a"}, {"value": "b"}],
         "human_description": {"en_US": "how"}},
        {"name": "key", "type": "secret-input", "form": "form"},
        {"name": "doc", "type": "file", "form": "llm"},
        {"type": "nameless"}])")
                                                .value());
    ASSERT_EQ(parameters.size(), 4U);
    EXPECT_EQ(
        to_json_text(to_json_schema(parameters)),
        R"({"type":"object","properties":{"q":{"type":"string","description":"what to look for"},)"
        R"("mode":{"type":"string","description":"how","enum":["a","b"]}},"required":["q"]})"
    );
}

}  // namespace
}  // namespace flowspan::tools
