#include "nodes/text_encoding.hpp"

#include "flowspan/base/text.hpp"

#include <gtest/gtest.h>

namespace flowspan::nodes {
namespace {

TEST(TextEncoding, FollowsTheDeclaredCharset) {
    EXPECT_EQ(decode_text("caf\xe9", "iso-8859-1", BadBytes::replace), "caf\u00e9");
    EXPECT_EQ(decode_text("\xc4\xe3\xba\xc3", "gbk", BadBytes::replace), "\u4f60\u597d");
    EXPECT_EQ(
        decode_text(
            "a\xff"
            "b",
            "utf-8",
            BadBytes::replace
        ),
        "a\uFFFDb"
    );
    EXPECT_EQ(
        decode_text(
            "a\xff"
            "b",
            "utf-8",
            BadBytes::drop
        ),
        "ab"
    );
}

TEST(TextEncoding, GuessesWhatNobodyDeclared) {
    EXPECT_EQ(decode_text("caf\u00e9", "", BadBytes::replace), "caf\u00e9");
    EXPECT_EQ(decode_text("caf\xe9 cr\xe8me", "", BadBytes::replace), "caf\u00e9 cr\u00e8me");
    EXPECT_EQ(
        decode_text("\xc4\xe3\xba\xc3\xca\xc0\xbd\xe7", "", BadBytes::replace),
        "\u4f60\u597d\u4e16\u754c"
    );
    EXPECT_EQ(decode_text("\xef\xbb\xbfhi", "", BadBytes::replace), "hi");
    EXPECT_EQ(decode_text(std::string_view("\xff\xfeh\0i\0", 6), "", BadBytes::replace), "hi");
    EXPECT_EQ(decode_text("caf\xe9", "no-such-charset", BadBytes::replace), "caf\u00e9");
    EXPECT_EQ(decode_text("", "", BadBytes::replace), "");
}

TEST(TextEncoding, FindsTheCharsetOfAContentType) {
    EXPECT_EQ(charset_of("text/html; charset=GBK"), "gbk");
    EXPECT_EQ(charset_of("text/html; x=y; Charset=\"UTF-8\""), "utf-8");
    EXPECT_EQ(charset_of("text/html"), "");
}

TEST(TextEncoding, GivesValidTextWhateverTheBytesAre) {
    // Found by fuzzing: bytes that a charset of four bytes maps beyond U+10FFFF.
    constexpr std::string_view kBytes = "\xf5\xf4\x96\x81\x83\x02\xeb\xeb\xeb\xeb\xfd\x01";
    for (const auto* charset : {"", "gb18030", "utf-8", "shift_jis", "euc-jp", "big5"}) {
        EXPECT_TRUE(is_valid_utf8(decode_text(kBytes, charset, BadBytes::replace))) << charset;
        EXPECT_TRUE(is_valid_utf8(decode_text(kBytes, charset, BadBytes::drop))) << charset;
    }
}

}  // namespace
}  // namespace flowspan::nodes
