#include "flowspan/value/value.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace flowspan::value {
namespace {

json::value parsed(std::string_view text) {
    return parse_json(text).value();
}

json::value file(std::string_view type, std::string_view name, std::string_view url) {
    return {
        {kFileIdentityKey, kFileIdentity}, {"type", type}, {"filename", name}, {"remote_url", url}
    };
}

TEST(TextForm, PrintsFloatsAsPythonDoes) {
    struct Case {
        double number;
        std::string_view text;
    };

    const Case cases[] = {
        {1.0, "1.0"},
        {-0.0, "-0.0"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {100.0, "100.0"},
        {1.5, "1.5"},
        {123456.789, "123456.789"},
        {1e15, "1000000000000000.0"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1.2345678901234568e+17, "1.2345678901234568e+17"},
        {1e-4, "0.0001"},
        {0.00012345, "0.00012345"},
        {1e-5, "1e-05"},
        {-2.25e-7, "-2.25e-07"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {std::numeric_limits<double>::quiet_NaN(), "nan"},
        {std::numeric_limits<double>::infinity(), "inf"},
        {-std::numeric_limits<double>::infinity(), "-inf"},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(python_float(test.number), test.text);
    }
}

TEST(TextForm, QuotesTextAsPythonsReprDoes) {
    struct Case {
        std::string_view text;
        std::string_view repr;
    };

    const Case cases[] = {
        {"", "''"},
        {"a", "'a'"},
        {"it's", R"("it's")"},
        {R"(say "hi")", R"('say "hi"')"},
        {R"(it's "x")", R"('it\'s "x"')"},
        {"a\nb\t\r\\", R"('a\nb\t\r\\')"},
        {std::string_view("\x00\x1f\x7f", 3), R"('\x00\x1f\x7f')"},
        {"\u0080\u00a0\u00ad", R"('\x80\xa0\xad')"},
        {"\u4e2d\u6587\U0001F600\u00e9", "'\u4e2d\u6587\U0001F600\u00e9'"},
        {"\u200b\u3000\ufeff\u2028\U000e0001", R"('\u200b\u3000\ufeff\u2028\U000e0001')"},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(python_repr(json::value(test.text)), test.repr);
        EXPECT_EQ(python_str(json::value(test.text)), test.text);
    }
}

TEST(TextForm, WritesNestedContainersAsPythonDoes) {
    const auto data = parsed(R"({"a": [1, 2.5, true, null, "x"], "it's": {}, "e": []})");
    EXPECT_EQ(python_repr(data), R"({'a': [1, 2.5, True, None, 'x'], "it's": {}, 'e': []})");
    EXPECT_EQ(python_json(data), R"({"a": [1, 2.5, true, null, "x"], "it's": {}, "e": []})");
    EXPECT_EQ(
        python_json(parsed(R"({"a": [1, {}], "b": {"c": []}})"), 2),
        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n}"
    );
}

TEST(TextForm, EscapesJsonTextAsPythonDoes) {
    EXPECT_EQ(
        python_json(json::value("\"\\\n\r\t\b\f\x01\x7f/\u4e2d")),
        "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\x7f/\u4e2d\""
    );
    EXPECT_EQ(python_json(json::value(std::numeric_limits<double>::infinity())), "Infinity");
    EXPECT_EQ(python_json(json::value(-std::numeric_limits<double>::infinity())), "-Infinity");
    EXPECT_EQ(python_json(json::value(std::numeric_limits<double>::quiet_NaN())), "NaN");
    EXPECT_EQ(python_json(json::value(1e16)), "1e+16");
}

struct FormCase {
    std::string_view what;
    Value value;
    std::string_view text;
    std::string_view markdown;
    std::string_view log;
};

TEST(TextForm, RendersEveryTypeInAllThreeForms) {
    const json::value picture = file("image", "a.png", "http://x/a.png");
    const json::value paper = file("document", "", "http://x/p");
    const FormCase cases[] = {
        {"none", Value(), "", "", ""},
        {"string", Value::string("a'b"), "a'b", "a'b", "a'b"},
        {"secret", Value::secret("0123456789"), "0123456789", "0123456789", "012345************89"},
        {"integer", Value::integer(-7), "-7", "-7", "-7"},
        {"float", Value::floating(2), "2.0", "2.0", "2.0"},
        {"true", Value::boolean(true), "True", "True", "True"},
        {"false", Value::boolean(false), "False", "False", "False"},
        {"object",
         Value(parsed(R"({"a": 1, "b": [true]})")),
         R"({"a": 1, "b": [true]})",
         "{\n  \"a\": 1,\n  \"b\": [\n    true\n  ]\n}",
         "{\n  \"a\": 1,\n  \"b\": [\n    true\n  ]\n}"},
        {"empty object", Value(parsed("{}")), "{}", "{}", "{}"},
        {"array[string]",
         Value(parsed(R"(["a", "\u4e2d"])")),
         "[\"a\", \"\u4e2d\"]",
         "- a\n- \u4e2d",
         "['a', '\u4e2d']"},
        {"empty array[string]",
         Value::unchecked(json::array(), ValueType::array_string),
         "",
         "",
         "[]"},
        {"array[number]", Value(parsed("[1, 2.5]")), "[1, 2.5]", "- 1\n- 2.5", "[1, 2.5]"},
        {"array[boolean]", Value(parsed("[true]")), "[True]", "- True", "[True]"},
        {"array[object]",
         Value(parsed(R"([{"a": 1, "b": null}])")),
         "[{'a': 1, 'b': None}]",
         "- {'a': 1, 'b': None}",
         "[{'a': 1, 'b': None}]"},
        {"array[any]", Value(parsed(R"([1, "x"])")), "[1, 'x']", "- 1\n- x", "[1, 'x']"},
        {"empty array[any]", Value(parsed("[]")), "", "", "[]"},
        {"file", Value(picture), "", "![a.png](http://x/a.png)", ""},
        {"file without a name", Value(paper), "", "[http://x/p](http://x/p)", ""},
        {"array[file]",
         Value(json::value(json::array{picture, paper})),
         "",
         "![a.png](http://x/a.png)\n[http://x/p](http://x/p)",
         ""},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(test.value.to_text(), test.text) << test.what;
        EXPECT_EQ(test.value.to_markdown(), test.markdown) << test.what;
        EXPECT_EQ(test.value.to_log(), test.log) << test.what;
    }
}

TEST(TextForm, MasksSecretsByTheirLength) {
    EXPECT_EQ(Value::secret("").to_log(), "");
    EXPECT_EQ(Value::secret("12345678").to_log(), std::string(20, '*'));
    EXPECT_EQ(Value::secret("123456789").to_log(), "123456************89");
    // Counted in code points, and never cut inside one.
    EXPECT_EQ(
        Value::secret("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9").to_log(),
        std::string(20, '*')
    );
    EXPECT_EQ(
        Value::secret("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9789\u4e2d").to_log(),
        "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9************9\u4e2d"
    );
}

}  // namespace
}  // namespace flowspan::value
