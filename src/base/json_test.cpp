#include "flowspan/base/json.hpp"

#include "flowspan/base/clock.hpp"

#include <gtest/gtest.h>

namespace flowspan {
namespace {

TEST(Json, KeepsIntegersAndFloatsApart) {
    const auto value = parse_json("[1, 1.0, 9223372036854775807, 18446744073709551615]");
    ASSERT_TRUE(value);
    const auto& items = value->get_array();
    EXPECT_TRUE(items[0].is_int64());
    EXPECT_TRUE(items[1].is_double());
    EXPECT_EQ(items[2].get_int64(), 9223372036854775807);
    EXPECT_TRUE(items[3].is_double());
}

TEST(Json, ReadsNumbersBackAsTheyWereWritten) {
    const auto expect_same = [](double number) {
        const auto text = to_json_text(json::array{number});
        const auto back = parse_json(text);
        ASSERT_TRUE(back) << text;
        EXPECT_EQ(back->get_array()[0].get_double(), number) << text;
    };
    for (const double number : {
             0.1,
             1.7976931348623157e308,
             2.2250738585072014e-308,
             5e-324,
             -0.30000000000000004,
             9007199254740993.0,
             123456789.12345679,
             0.000012345678901234567,
         }) {
        expect_same(number);
    }
    const auto random = make_seeded_random(7);
    for (int i = 0; i < 500; ++i) {
        // Durations and scores: what traces are full of.
        expect_same(static_cast<double>(random->next() % 1'000'000'000'000) * 1e-9);
        expect_same(static_cast<double>(random->next()) * 0x1p-64);
    }
}

TEST(Json, NamesTheOffsetOfAnError) {
    const auto value = parse_json(R"({"a": nope})");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, ErrorCode::invalid_input);
    EXPECT_NE(value.error().message.find("at byte 6"), std::string::npos) << value.error().message;
}

TEST(Json, RefusesNestingDeeperThanTheLimit) {
    const std::string deep(kJsonDepthMax + 1, '[');
    const auto value = parse_json(deep + std::string(kJsonDepthMax + 1, ']'));
    EXPECT_FALSE(value);
}

TEST(Json, EscapesWhatJsonMustAndKeepsTheRest) {
    std::string text;
    append_json_string(text, "a\"\\\n\x01\xC3\xA9");
    EXPECT_EQ(text, "\"a\\\"\\\\\\n\\u0001\xC3\xA9\"");
    EXPECT_EQ(parse_json(text)->get_string(), "a\"\\\n\x01\xC3\xA9");
}

}  // namespace
}  // namespace flowspan
