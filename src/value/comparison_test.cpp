#include "flowspan/value/condition.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace flowspan::value {
namespace {

json::value parsed(std::string_view text) {
    return parse_json(text).value();
}

// 'T' true, 'F' false, 'E' error.
char outcome(const Value& actual, ComparisonOperator op, const json::value& expected) {
    const auto result = compare(actual, op, expected);
    return !result ? 'E' : (*result ? 'T' : 'F');
}

const json::value kFile = {{kFileIdentityKey, kFileIdentity}, {"type", "image"}};

struct Actual {
    std::string_view name;
    Value value;
};

// One value and one zero of every type; the columns of the table below.
std::vector<Actual> actuals() {
    return {
        {"none", Value()},
        {"empty string", Value::string("")},
        {"string", Value::string("abc")},
        {"secret", Value::secret("abc")},
        {"0", Value::integer(0)},
        {"5", Value::integer(5)},
        {"0.0", Value::floating(0)},
        {"5.5", Value::floating(5.5)},
        {"false", Value::boolean(false)},
        {"true", Value::boolean(true)},
        {"{}", Value(parsed("{}"))},
        {"{abc}", Value(parsed(R"({"abc": 1})"))},
        {"file", Value(kFile)},
        {"[]", Value(parsed("[]"))},
        {"[abc]", Value(parsed(R"(["abc", "x"])"))},
        {"[1,5]", Value(parsed("[1, 5]"))},
        {"[object]", Value(parsed(R"([{"abc": 1}])"))},
        {"[file]", Value(json::value(json::array{kFile}))},
        {"[true]", Value(parsed("[true]"))},
        {"[any]", Value(parsed(R"(["abc", 1])"))},
    };
}

TEST(Comparison, HasOneOutcomeForEveryOperatorOnEveryType) {
    struct Row {
        std::string_view op;
        std::string_view expected;
        std::string_view outcomes;
    };

    // Columns: none, "", "abc", secret, 0, 5, 0.0, 5.5, false, true, {}, {abc}, file, [],
    // ["abc","x"], [1,5], [object], [file], [true], ["abc",1].
    const Row rows[] = {
        {"contains", R"("ab")", "FFTTFEFEFEFEEFFFFFFF"},
        {"contains", R"("abc")", "FFTTFEFEFEFEEFTFFFFT"},
        {"not contains", R"("abc")", "TTFFTETETETEETFTTTTF"},
        {"start with", R"("ab")", "FFTTFEFEFEFEEFEEEEEE"},
        {"end with", R"("bc")", "FFTTFEFEFEFEEFEEEEEE"},
        {"is", R"("abc")", "FFTTEEEEFFEEEEEEEEEE"},
        {"is not", R"("abc")", "FTFFEEEETTEEEEEEEEEE"},
        {"is", "true", "FFFFEEEEFTEEEEEEEEEE"},
        {"empty", "null", "TTFFTFTFTFTFFTFFFFFF"},
        {"not empty", "null", "FFTTFTFTFTFTTFTTTTTT"},
        {"=", R"("5")", "FEEEFTFFFTEEEEEEEEEE"},
        {"\u2260", R"("5")", "FEEETFTTTFEEEEEEEEEE"},
        {">", R"("1")", "FEEEFTFTFFEEEEEEEEEE"},
        {"<", R"("1")", "FEEETFTFTFEEEEEEEEEE"},
        {"\u2265", R"("1")", "FEEEFTFTFTEEEEEEEEEE"},
        {"\u2264", R"("1")", "FEEETFTFTTEEEEEEEEEE"},
        {"null", "null", "TFFFFFFFFFFFFFFFFFFF"},
        {"not null", "null", "FTTTTTTTTTTTTTTTTTTT"},
        {"in", R"(["abc", "y"])", "FFTTFFFFFFFFFFFFFFFF"},
        {"not in", R"(["abc", "y"])", "TTFFTTTTTTTTTTTTTTTT"},
        {"all of", R"(["abc"])", "FFTTFEFEFEFEEFTFFFFT"},
        {"all of", "[true]", "FFEEFEFEFEFEEFFTFFTT"},
        {"exists", "null", "FTTTTTTTTTTTTTTTTTTT"},
        {"not exists", "null", "TFFFFFFFFFFFFFFFFFFF"},
    };
    const auto columns = actuals();
    for (const auto& row : rows) {
        const auto op = parse_comparison_operator(row.op);
        ASSERT_TRUE(op) << row.op;
        ASSERT_EQ(row.outcomes.size(), columns.size()) << row.op;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            EXPECT_EQ(outcome(columns[i].value, *op, parsed(row.expected)), row.outcomes[i])
                << columns[i].name << " " << row.op << " " << row.expected;
        }
    }
}

TEST(Comparison, MindsTheEdgesOfExpectedValues) {
    struct Case {
        std::string_view actual;
        std::string_view op;
        std::string_view expected;
        char outcome;
    };

    const Case cases[] = {
        // Text is searched for the expected value as text.
        {R"("a True b")", "contains", "true", 'T'},
        {R"("abc")", "contains", R"("")", 'T'},
        {R"("abc")", "start with", "null", 'E'},
        {R"("abc")", "start with", R"("")", 'T'},
        {"[1, 2]", "contains", "1.0", 'T'},
        {"[true]", "contains", "1", 'T'},
        {"[0]", "contains", R"("0")", 'F'},
        {"true", "is", "1", 'T'},
        {"false", "is", "0", 'T'},
        {R"("")", "is", R"("")", 'T'},
        // An integer compares with an integer, a float with a float.
        {"1", "=", R"("1.5")", 'E'},
        {"1", "=", R"("x")", 'E'},
        {"1", "=", R"("")", 'E'},
        {"1", "=", "null", 'E'},
        {"1", "=", "1.9", 'T'},
        {"-1", "=", "-1.9", 'T'},
        {"1", "=", R"(" +1 ")", 'T'},
        {"1", "=", R"("+-1")", 'E'},
        {"1", "=", R"("99999999999999999999")", 'F'},
        {"1", "=", "true", 'T'},
        {"1", "=", "[1]", 'E'},
        {"1.5", "=", R"("1.5")", 'T'},
        {"1.5", "=", R"("x")", 'E'},
        {"1.0", "=", "true", 'T'},
        {"1.0", "=", "null", 'E'},
        {"1e3", "=", R"("1e3")", 'T'},
        // A boolean takes the truth of the expected value, so any text is true.
        {"true", "=", R"("false")", 'T'},
        {"false", "=", R"("")", 'T'},
        {"false", "=", "null", 'T'},
        {"5", ">", R"("")", 'E'},
        {"5", ">", R"("abc")", 'E'},
        {"5", ">", "null", 'E'},
        {"5", ">", R"(" 4.5 ")", 'T'},
        {"5", ">", R"("-inf")", 'T'},
        {"5", ">", R"("nan")", 'F'},
        {"5", "<", R"("1e999")", 'T'},
        {"-5", ">", R"("-1e999")", 'T'},
        {"5", ">", R"("1e-999")", 'T'},
        {"true", ">", R"("0")", 'T'},
        // Exact between 64-bit integers.
        {"9007199254740993", ">", R"("9007199254740992")", 'T'},
        {"9223372036854775807", "<", R"("9223372036854775808")", 'T'},
        {"9007199254740993", "\u2264", "9007199254740992.0", 'F'},
        {"-3", "<", "-2.5", 'T'},
        {"-2", "<", "-2.5", 'F'},
        {"2.5", "\u2265", "2", 'T'},
        {R"("a")", "in", R"("abc")", 'E'},
        {R"("a")", "in", "null", 'E'},
        {"1", "in", "[true]", 'T'},
        {R"("abc")", "all of", R"(["a", "c"])", 'T'},
        {R"("abc")", "all of", R"(["a", "z"])", 'F'},
        {R"(["a", "b"])", "all of", "[]", 'T'},
        {R"(["a", "b"])", "all of", R"(["a", true])", 'E'},
        {R"(["a", "b"])", "all of", R"("a")", 'E'},
        {"[]", "all of", R"("a")", 'E'},
        {"[]", "all of", "[]", 'F'},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(
            outcome(
                Value(parsed(test.actual)),
                parse_comparison_operator(test.op).value(),
                parsed(test.expected)
            ),
            test.outcome
        ) << test.actual
          << " " << test.op << " " << test.expected;
    }
}

TEST(Comparison, KeepsUserTextOutOfTheMessage) {
    const auto result =
        compare(Value::integer(1), ComparisonOperator::greater, json::value("private text"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::type_mismatch);
    EXPECT_EQ(result.error().message.find("private"), std::string::npos);
    EXPECT_EQ(result.error().detail, "'private text'");
}

TEST(Comparison, SpellsEveryOperatorAndRefusesOthers) {
    for (int i = 0; i <= static_cast<int>(ComparisonOperator::not_exists); ++i) {
        const auto op = static_cast<ComparisonOperator>(i);
        EXPECT_EQ(parse_comparison_operator(to_string(op)).value(), op);
    }
    for (const auto* text : {"is null", "is not null", "==", "Contains", ""}) {
        const auto op = parse_comparison_operator(text);
        ASSERT_FALSE(op) << text;
        EXPECT_NE(op.error().message.find("use one of `contains`"), std::string::npos);
    }
}

}  // namespace
}  // namespace flowspan::value
