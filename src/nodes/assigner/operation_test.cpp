// Every operation on every type.

#include "nodes/assigner/operation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace flowspan::nodes::assigner {
namespace {

using value::ValueType;

constexpr std::array kOperations = {
    Operation::over_write,
    Operation::clear,
    Operation::append,
    Operation::extend,
    Operation::set,
    Operation::add,
    Operation::subtract,
    Operation::multiply,
    Operation::divide,
    Operation::remove_first,
    Operation::remove_last,
};

constexpr std::array kTypes = {
    ValueType::string,
    ValueType::integer,
    ValueType::floating,
    ValueType::boolean,
    ValueType::object,
    ValueType::array_any,
    ValueType::array_string,
    ValueType::array_number,
    ValueType::array_object,
    ValueType::array_boolean,
    ValueType::array_file,
};

TEST(AssignerOperations, AreSupportedByTypeAsTheFormatSays) {
    const std::set<ValueType> numbers = {ValueType::integer, ValueType::floating};
    const std::set<ValueType> scalars = {
        ValueType::string,
        ValueType::integer,
        ValueType::floating,
        ValueType::boolean,
        ValueType::object
    };
    for (const auto type : kTypes) {
        for (const auto operation : kOperations) {
            const auto name = to_string(operation);
            bool expected = true;
            if (name == "set") {
                expected = scalars.contains(type);
            } else if (name.ends_with('=')) {
                expected = numbers.contains(type);
            } else if (name != "over-write" && name != "clear") {
                expected = value::is_array(type);
            }
            EXPECT_EQ(is_supported(operation, type), expected)
                << name << ' ' << value::to_string(type);
            const bool takes_variable = name != "set" && !name.ends_with('=');
            EXPECT_EQ(is_supported(InputType::variable, operation, type), takes_variable) << name;
            bool takes_constant = name == "over-write" || name == "set";
            takes_constant = takes_constant || (name.ends_with('=') && numbers.contains(type));
            takes_constant = takes_constant && scalars.contains(type);
            EXPECT_EQ(is_supported(InputType::constant, operation, type), takes_constant)
                << name << ' ' << value::to_string(type);
        }
    }
}

struct Row {
    std::string_view operation;
    ValueType type;
    std::string_view target;
    std::string_view input;
    std::string_view result;  // JSON, or empty for an invalid input
};

Operation operation_named(std::string_view name) {
    for (const auto operation : kOperations) {
        if (to_string(operation) == name) {
            return operation;
        }
    }
    ADD_FAILURE() << name;
    return Operation::clear;
}

struct AcceptedInputs {
    std::string_view operation;
    std::string_view type;
    std::string_view outcomes;  // by input: `+` is taken, `E` is an invalid input
};

// Worked out by the rules of the app format in Python, where a boolean is a number and a file is no
// mapping. Columns: null, "", "a", 5, 2.5, 0, true, {}, {a}, [], ["a"], [1], [{}], [true], ["a",
// 1],
// [[1]], [null], a file, [file], text of an object.
// clang-format off
constexpr AcceptedInputs kAcceptedInputs[] = {
    {"over-write", "string", "E++EEEEEEEEEEEEEEEE+"},
    {"over-write", "integer", "EEE++++EEEEEEEEEEEEE"},
    {"over-write", "float", "EEE++++EEEEEEEEEEEEE"},
    {"over-write", "boolean", "EEEEEE+EEEEEEEEEEEEE"},
    {"over-write", "object", "EEEEEEE++EEEEEEEEEEE"},
    {"over-write", "array[any]", "EEEEEEEEE++++++EEEEE"},
    {"over-write", "array[string]", "EEEEEEEEE++EEEEEEEEE"},
    {"over-write", "array[number]", "EEEEEEEEE+E+E+EEEEEE"},
    {"over-write", "array[object]", "EEEEEEEEE+EE+EEEEEEE"},
    {"over-write", "array[boolean]", "EEEEEEEEE+EEE+EEEEEE"},
    {"over-write", "array[file]", "EEEEEEEEEEEEEEEEEEEE"},
    {"set", "string", "E++EEEEEEEEEEEEEEEE+"},
    {"set", "integer", "EEE++++EEEEEEEEEEEEE"},
    {"set", "float", "EEE++++EEEEEEEEEEEEE"},
    {"set", "boolean", "EEEEEE+EEEEEEEEEEEEE"},
    {"set", "object", "EEEEEEE++EEEEEEEEEE+"},
    {"+=", "integer", "EEE++++EEEEEEEEEEEEE"},
    {"+=", "float", "EEE++++EEEEEEEEEEEEE"},
    {"-=", "integer", "EEE++++EEEEEEEEEEEEE"},
    {"-=", "float", "EEE++++EEEEEEEEEEEEE"},
    {"*=", "integer", "EEE++++EEEEEEEEEEEEE"},
    {"*=", "float", "EEE++++EEEEEEEEEEEEE"},
    {"/=", "integer", "EEE++E+EEEEEEEEEEEEE"},
    {"/=", "float", "EEE++E+EEEEEEEEEEEEE"},
    {"append", "array[any]", "E++++++++EEEEEEEEEE+"},
    {"append", "array[string]", "E++EEEEEEEEEEEEEEEE+"},
    {"append", "array[number]", "EEE++++EEEEEEEEEEEEE"},
    {"append", "array[object]", "EEEEEEE++EEEEEEEEEEE"},
    {"append", "array[boolean]", "EEEEEE+EEEEEEEEEEEEE"},
    {"append", "array[file]", "EEEEEEEEEEEEEEEEEEEE"},
    {"extend", "array[any]", "EEEEEEEEE++++++EEEEE"},
    {"extend", "array[string]", "EEEEEEEEE++EEEEEEEEE"},
    {"extend", "array[number]", "EEEEEEEEE+E+E+EEEEEE"},
    {"extend", "array[object]", "EEEEEEEEE+EE+EEEEEEE"},
    {"extend", "array[boolean]", "EEEEEEEEE+EEE+EEEEEE"},
    {"extend", "array[file]", "EEEEEEEEEEEEEEEEEEEE"},
};
// clang-format on

TEST(AssignerOperations, TakeOrRefuseEveryTypeOfInput) {
    const json::value file = {{value::kFileIdentityKey, value::kFileIdentity}, {"type", "image"}};
    std::vector<json::value> inputs;
    for (const auto* text :
         {"null",
          R"("")",
          R"("a")",
          "5",
          "2.5",
          "0",
          "true",
          "{}",
          R"({"a": 1})",
          "[]",
          R"(["a"])",
          "[1]",
          "[{}]",
          "[true]",
          R"(["a", 1])",
          "[[1]]",
          "[null]"}) {
        inputs.push_back(parse_json(text).value());
    }
    inputs.insert(inputs.end(), {file, json::array{file}, json::value(R"({"a": 1})")});
    for (const auto& row : kAcceptedInputs) {
        const auto type = value::parse_value_type(row.type).value();
        const auto target = value::zero_value(type).value_or(
            value::Value::unchecked(json::array(), ValueType::array_file)
        );
        ASSERT_EQ(row.outcomes.size(), inputs.size());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const auto result = apply(operation_named(row.operation), target, inputs[i]);
            EXPECT_EQ(result ? '+' : 'E', row.outcomes[i])
                << row.operation << ' ' << row.type << ' ' << to_json_text(inputs[i]);
        }
    }
}

class Operations : public ::testing::TestWithParam<Row> {};

TEST_P(Operations, ChangeTheValue) {
    const auto& row = GetParam();
    const auto target = value::Value::unchecked(parse_json(row.target).value(), row.type);
    const auto result =
        apply(operation_named(row.operation), target, parse_json(row.input).value());
    const auto what = std::string(row.operation) + " " + std::string(row.input);
    if (row.result.empty()) {
        ASSERT_FALSE(result) << what;
    } else {
        ASSERT_TRUE(result) << what << ' ' << result.error().full_text();
        EXPECT_EQ(to_json_text(result->json()), row.result) << what;
        if (value::is_array(row.type)) {
            EXPECT_EQ(result->type(), row.type);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Scalars,
    Operations,
    ::testing::Values(
        Row{"over-write", ValueType::string, R"("a")", R"("b")", R"("b")"},
        Row{"over-write", ValueType::string, R"("a")", "1", ""},
        Row{"set", ValueType::string, R"("a")", R"("{{#x.y#}}")", R"("{{#x.y#}}")"},
        Row{"clear", ValueType::string, R"("a")", "null", R"("")"},
        Row{"over-write", ValueType::boolean, "true", "false", "false"},
        Row{"over-write", ValueType::boolean, "true", "1", ""},
        Row{"clear", ValueType::boolean, "true", "null", "false"},
        Row{"over-write", ValueType::object, "{}", R"({"a":1})", R"({"a":1})"},
        Row{"over-write", ValueType::object, "{}", "[]", ""},
        Row{"set", ValueType::object, "{}", R"("{\"a\": 1}")", R"({"a":1})"},
        Row{"set", ValueType::object, "{}", R"("[1]")", ""},
        Row{"set", ValueType::object, "{}", R"("no json")", ""},
        Row{"clear", ValueType::object, R"({"a":1})", "null", "{}"},
        Row{"clear", ValueType::file, "{}", "null", ""},
        Row{"over-write", ValueType::none, "null", "1", ""}
    )
);

INSTANTIATE_TEST_SUITE_P(
    Numbers,
    Operations,
    ::testing::Values(
        Row{"over-write", ValueType::integer, "1", "2.5", "2.5E0"},
        Row{"over-write", ValueType::integer, "1", "true", "1"},
        Row{"over-write", ValueType::integer, "1", R"("2")", ""},
        Row{"set", ValueType::floating, "1.5", "2", "2"},
        Row{"clear", ValueType::integer, "7", "null", "0"},
        Row{"clear", ValueType::floating, "7.5", "null", "0E0"},
        Row{"+=", ValueType::integer, "1", "2", "3"},
        Row{"+=", ValueType::integer, "1", "2.0", "3E0"},
        Row{"+=", ValueType::integer, "1", "true", "2"},
        Row{"+=", ValueType::integer, "9223372036854775807", "1", "9.223372036854776E18"},
        Row{"-=", ValueType::integer, "1", "2", "-1"},
        Row{"*=", ValueType::floating, "1.5", "2", "3E0"},
        Row{"/=", ValueType::integer, "4", "2", "2E0"},
        Row{"/=", ValueType::integer, "4", "0", ""},
        Row{"/=", ValueType::integer, "4", "0.0", ""},
        Row{"+=", ValueType::integer, "4", R"("1")", ""}
    )
);

INSTANTIATE_TEST_SUITE_P(
    Lists,
    Operations,
    ::testing::Values(
        Row{"append", ValueType::array_any, "[]", R"("a")", R"(["a"])"},
        Row{"append", ValueType::array_any, R"(["a"])", "true", R"(["a",true])"},
        Row{"append", ValueType::array_any, "[]", R"({"a":1})", R"([{"a":1}])"},
        Row{"append", ValueType::array_any, "[]", "[]", ""},
        Row{"append", ValueType::array_any, "[]", "null", ""},
        Row{"append", ValueType::array_string, "[]", "1", ""},
        Row{"append", ValueType::array_number, "[]", "1.5", "[1.5E0]"},
        Row{"append", ValueType::array_number, "[]", R"("1")", ""},
        Row{"append", ValueType::array_object, "[]", "{}", "[{}]"},
        Row{"append", ValueType::array_boolean, "[]", "true", "[true]"},
        Row{"append", ValueType::array_boolean, "[]", "1", ""},
        Row{"append", ValueType::array_file, "[]", "{}", ""},
        Row{"extend", ValueType::array_string, R"(["a"])", R"(["b","c"])", R"(["a","b","c"])"},
        Row{"extend", ValueType::array_string, R"(["a"])", R"(["b",1])", ""},
        Row{"extend", ValueType::array_string, R"(["a"])", R"("b")", ""},
        Row{"extend", ValueType::array_file, "[]", "[]", ""},
        Row{"over-write", ValueType::array_number, "[1]", "[]", "[]"},
        Row{"over-write", ValueType::array_number, "[1]", "[true]", "[true]"},
        Row{"over-write", ValueType::array_file, "[]", "[]", ""},
        Row{"clear", ValueType::array_string, R"(["a"])", "null", "[]"},
        Row{"remove-first", ValueType::array_number, "[1,2]", "null", "[2]"},
        Row{"remove-last", ValueType::array_number, "[1,2]", "null", "[1]"},
        Row{"remove-first", ValueType::array_number, "[]", "null", "[]"},
        Row{"remove-last", ValueType::array_file, "[]", "null", "[]"}
    )
);

}  // namespace
}  // namespace flowspan::nodes::assigner
