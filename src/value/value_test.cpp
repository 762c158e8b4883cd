#include "flowspan/value/value.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>

namespace flowspan::value {
namespace {

json::value parsed(std::string_view text) {
    return parse_json(text).value();
}

TEST(Value, InfersTheTypeOfPlainData) {
    struct Case {
        std::string_view data;
        ValueType type;
    };

    const Case cases[] = {
        {"null", ValueType::none},
        {"true", ValueType::boolean},
        {"0", ValueType::integer},
        {"-9223372036854775808", ValueType::integer},
        {"1.0", ValueType::floating},
        {"\"\"", ValueType::string},
        {"{}", ValueType::object},
        {R"({"dify_model_identity": "other"})", ValueType::object},
        {R"({"dify_model_identity": "__dify__file__"})", ValueType::file},
        {"[]", ValueType::array_any},
        {"[[]]", ValueType::array_any},
        {"[[1], [2]]", ValueType::array_any},
        {"[null, null]", ValueType::array_any},
        {R"(["a", "b"])", ValueType::array_string},
        {"[1, 2]", ValueType::array_number},
        {"[1.5]", ValueType::array_number},
        {"[1, 2.5]", ValueType::array_number},
        {"[true, false]", ValueType::array_boolean},
        {"[true, 1]", ValueType::array_any},
        {"[1, \"a\"]", ValueType::array_any},
        {"[1, null]", ValueType::array_any},
        {"[{}, {\"a\": 1}]", ValueType::array_object},
        {R"([{"dify_model_identity": "__dify__file__"}])", ValueType::array_file},
        {R"([{"dify_model_identity": "__dify__file__"}, {}])", ValueType::array_any},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(Value(parsed(test.data)).type(), test.type) << test.data;
    }
}

TEST(Value, SpellsEveryTypeAsTheAppFormatDoes) {
    for (int i = 0; i <= static_cast<int>(ValueType::number); ++i) {
        const auto type = static_cast<ValueType>(i);
        const auto name = std::string(to_string(type));
        ASSERT_TRUE(parse_value_type(name)) << name;
        EXPECT_EQ(*parse_value_type(name), type) << name;
    }
    EXPECT_EQ(to_string(ValueType::floating), "float");
    EXPECT_EQ(parse_value_type("Array[String]").value(), ValueType::array_string);
    EXPECT_EQ(parse_value_type("bool").value(), ValueType::boolean);
    EXPECT_EQ(parse_value_type("text").error().code, ErrorCode::invalid_input);
}

TEST(Value, TypedConstructionConvertsNothing) {
    struct Case {
        std::string_view data;
        ValueType declared;
        std::optional<ValueType> stored;
    };

    const Case cases[] = {
        {"null", ValueType::none, ValueType::none},
        {"null", ValueType::string, std::nullopt},
        {"null", ValueType::array_any, std::nullopt},
        {"\"a\"", ValueType::string, ValueType::string},
        {"\"a\"", ValueType::secret, ValueType::secret},
        {"\"1\"", ValueType::number, std::nullopt},
        {"1", ValueType::number, ValueType::integer},
        {"1.5", ValueType::number, ValueType::floating},
        {"1", ValueType::floating, std::nullopt},
        {"1.0", ValueType::integer, std::nullopt},
        {"true", ValueType::number, std::nullopt},
        {"true", ValueType::boolean, ValueType::boolean},
        {"1", ValueType::boolean, std::nullopt},
        {"{}", ValueType::object, ValueType::object},
        {"[]", ValueType::array_string, ValueType::array_string},
        {"[]", ValueType::array_file, ValueType::array_file},
        {"[]", ValueType::object, std::nullopt},
        {"[\"a\"]", ValueType::array_string, ValueType::array_string},
        {"[\"a\"]", ValueType::array_any, std::nullopt},
        {"[1]", ValueType::array_string, std::nullopt},
    };
    for (const auto& test : cases) {
        const auto value = Value::typed(parsed(test.data), test.declared);
        ASSERT_EQ(value.has_value(), test.stored.has_value())
            << test.data << " as " << to_string(test.declared);
        if (value) {
            EXPECT_EQ(value->type(), *test.stored) << test.data;
        } else {
            EXPECT_EQ(value.error().code, ErrorCode::type_mismatch);
        }
    }
}

TEST(Value, KnowsTheZeroOfEveryType) {
    struct Case {
        ValueType type;
        std::optional<std::string_view> zero;
    };

    const Case cases[] = {
        {ValueType::string, "\"\""},
        {ValueType::integer, "0"},
        {ValueType::number, "0"},
        {ValueType::floating, "0.0"},
        {ValueType::boolean, "false"},
        {ValueType::object, "{}"},
        {ValueType::array_any, "[]"},
        {ValueType::array_string, "[]"},
        {ValueType::array_number, "[]"},
        {ValueType::array_object, "[]"},
        {ValueType::array_boolean, "[]"},
        {ValueType::array_file, std::nullopt},
        {ValueType::file, std::nullopt},
        {ValueType::secret, std::nullopt},
        {ValueType::none, std::nullopt},
    };
    for (const auto& test : cases) {
        const auto zero = zero_value(test.type);
        ASSERT_EQ(zero.has_value(), test.zero.has_value()) << to_string(test.type);
        if (zero) {
            EXPECT_EQ(python_json(zero->json()), *test.zero) << to_string(test.type);
            EXPECT_FALSE(zero->is_truthy());
        }
    }
}

TEST(Value, ComparesAsPythonDoes) {
    struct Case {
        std::string_view a;
        std::string_view b;
        bool is_equal;
    };

    const Case cases[] = {
        {"1", "1.0", true},
        {"1", "true", true},
        {"0.0", "false", true},
        {"1", "\"1\"", false},
        {"null", "0", false},
        {"null", "null", true},
        {"\"a\"", "\"a\"", true},
        {"[1, [2]]", "[1.0, [true]]", false},
        {"[1, [1]]", "[1.0, [true]]", true},
        {"[1]", "[1, 2]", false},
        {R"({"a": 1, "b": 2})", R"({"b": 2.0, "a": 1})", true},
        {R"({"a": 1})", R"({"a": 1, "b": 2})", false},
        {R"({"a": 1})", R"({"b": 1})", false},
        {"{}", "[]", false},
        // Exact beyond 2^53, where a double cannot hold every integer.
        {"9007199254740993", "9007199254740992.0", false},
        {"9223372036854775807", "9223372036854775808.0", false},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(python_equal(parsed(test.a), parsed(test.b)), test.is_equal)
            << test.a << " and " << test.b;
        EXPECT_EQ(Value(parsed(test.b)) == Value(parsed(test.a)), test.is_equal);
    }
    const auto nan = Value::floating(std::numeric_limits<double>::quiet_NaN());
    EXPECT_FALSE(nan == nan);
}

TEST(Value, KnowsPythonsTruth) {
    for (const auto* text : {"null", "false", "0", "0.0", "\"\"", "[]", "{}"}) {
        EXPECT_FALSE(Value(parsed(text)).is_truthy()) << text;
    }
    for (const auto* text : {"true", "-1", "0.1", "\"0\"", "[0]", "{\"a\": null}"}) {
        EXPECT_TRUE(Value(parsed(text)).is_truthy()) << text;
    }
}

TEST(Value, CopiesAndPartsShareTheData) {
    const Value value(parsed(R"({"a": {"b": [1, 2]}})"));
    const Value copy = value;
    EXPECT_EQ(&copy.json(), &value.json());
    const auto& nested = value.json().at("a").at("b");
    const auto part = value.part(nested);
    EXPECT_EQ(&part.json(), &nested);
    EXPECT_EQ(part.type(), ValueType::array_number);
}

TEST(Value, APartOutlivesTheWhole) {
    std::optional<Value> part;
    {
        const Value whole(parsed(R"({"a": "kept"})"));
        part = whole.part(whole.json().at("a"));
    }
    EXPECT_EQ(part->text(), "kept");
}

}  // namespace
}  // namespace flowspan::value
