#include "flowspan/base/text.hpp"

#include <gtest/gtest.h>

namespace flowspan {
namespace {

TEST(Text, RepairsInvalidUtf8WithOneReplacementPerByte) {
    EXPECT_EQ(to_valid_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
    EXPECT_EQ(to_valid_utf8("h\xC3\xA9"), "h\xC3\xA9");
    // A surrogate half encoded in UTF-8 is three invalid bytes.
    EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));
    // Overlong encodings are refused.
    EXPECT_FALSE(is_valid_utf8("\xC0\xAF"));
}

TEST(Text, CountsCodePointsAsPythonDoes) {
    EXPECT_EQ(count_code_points("h\xC3\xA9llo"), 5U);
    EXPECT_EQ(count_code_points("\xF0\x9F\x98\x80"), 1U);
    EXPECT_EQ(code_point_prefix("h\xC3\xA9llo", 2), "h\xC3\xA9");
}

TEST(Text, CutsOnlyBetweenCodePoints) {
    EXPECT_EQ(utf8_prefix("h\xC3\xA9", 2), "h");
    EXPECT_EQ(utf8_prefix("abc", 8), "abc");
}

TEST(Text, MeasuresTerminalColumns) {
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("\xE4\xB8\xAD\xE6\x96\x87"), 4U);
}

TEST(Text, CountsThings) {
    EXPECT_EQ(count_text(0, "trace"), "0 traces");
    EXPECT_EQ(count_text(1, "trace"), "1 trace");
    EXPECT_EQ(count_text(2, "trace"), "2 traces");
    EXPECT_EQ(count_text(1234567, "span"), "1,234,567 spans");
    EXPECT_EQ(number_text(-1234), "-1,234");
}

TEST(Text, SplitsAndTrims) {
    EXPECT_EQ(split("a,,b", ',').size(), 3U);
    EXPECT_EQ(split("", ',').size(), 1U);
    EXPECT_EQ(trim(" \t a \n"), "a");
    EXPECT_TRUE(equals_ignore_case("Content-Type", "content-type"));
}

}  // namespace
}  // namespace flowspan
