#include "nodes/json_schema.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes {
namespace {

json::value parse(std::string_view text) {
    return parse_json(text).value();
}

TEST(JsonSchema, NamesThePlaceOfAMismatch) {
    const auto schema = JsonSchema::compile(parse(R"({
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "string"}}},
        "required": ["items"], "additionalProperties": false
    })"));
    ASSERT_TRUE(schema);
    EXPECT_FALSE(schema->find_mismatch(parse(R"({"items": ["a"]})")));
    const auto wrong = schema->find_mismatch(parse(R"({"items": ["a", 1]})"));
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong->path, "$.items[1]");
    EXPECT_FALSE(wrong->reason.empty());
    EXPECT_TRUE(schema->find_mismatch(parse("{}")));
    EXPECT_TRUE(schema->find_mismatch(parse(R"({"items": [], "more": 1})")));
    EXPECT_TRUE(schema->find_mismatch(parse("[]")));
}

TEST(JsonSchema, RefusesWhatIsNoSchema) {
    for (const auto* text :
         {"[]",
          R"({"type": "strnig"})",
          R"({"type": 3})",
          R"({"properties": {"a": {"type": "txt"}}})",
          R"({"$ref": "http://example.com/schema.json"})",
          R"({"required": "a"})"}) {
        EXPECT_FALSE(JsonSchema::compile(parse(text))) << text;
    }
}

TEST(JsonSchema, FollowsReferencesInsideTheDocument) {
    const auto schema = JsonSchema::compile(parse(R"({
        "definitions": {"tree": {"type": "object", "properties":
            {"child": {"$ref": "#/definitions/tree"}, "n": {"type": "integer"}}}},
        "$ref": "#/definitions/tree"
    })"));
    ASSERT_TRUE(schema);
    EXPECT_FALSE(schema->find_mismatch(parse(R"({"child": {"n": 1}})")));
    EXPECT_TRUE(schema->find_mismatch(parse(R"({"child": {"child": {"n": "x"}}})")));
}

TEST(JsonSchema, DoesNotMatchPatternsAgainstLongTexts) {
    const auto schema = JsonSchema::compile(parse(R"({"type": "string", "pattern": "^(a+)+$"})"));
    ASSERT_TRUE(schema);
    EXPECT_FALSE(schema->find_mismatch(json::value("aaa")));
    EXPECT_TRUE(schema->find_mismatch(json::value(std::string(kPatternSubjectMax + 1, 'a'))));
}

TEST(JsonSchema, ReportsAPatternThatIsNone) {
    const auto schema = JsonSchema::compile(parse(R"({"type": "string", "pattern": "("})"));
    if (schema) {
        EXPECT_TRUE(schema->find_mismatch(json::value("a")));
    }
}

}  // namespace
}  // namespace flowspan::nodes
