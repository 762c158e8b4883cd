#include "flowspan/base/json.hpp"

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
