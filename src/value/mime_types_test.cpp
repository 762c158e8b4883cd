#include "flowspan/value/mime_types.hpp"

#include <gtest/gtest.h>

namespace flowspan::value {
namespace {

TEST(MimeTypes, GoBothWaysWithExtensions) {
    EXPECT_EQ(mime_type_of_extension(".PDF"), "application/pdf");
    EXPECT_EQ(mime_type_of_extension("jpeg"), "image/jpeg");
    EXPECT_EQ(mime_type_of_extension(".xyz"), "");
    EXPECT_EQ(mime_type_of_extension(""), "");
    EXPECT_EQ(extension_of_mime_type("Text/HTML; charset=utf-8"), ".html");
    EXPECT_EQ(extension_of_mime_type("application/x-unheard-of"), "");
}

TEST(MimeTypes, FindTheExtensionOfANameOrAnAddress) {
    EXPECT_EQ(extension_of_name("a.b/c.tar.gz"), ".gz");
    EXPECT_EQ(extension_of_name("https://h/p/cat.PNG?x=1.txt#y"), ".PNG");
    EXPECT_EQ(extension_of_name(".profile"), "");
    EXPECT_EQ(extension_of_name("name."), "");
    EXPECT_EQ(extension_of_name("folder.d/name"), "");
}

}  // namespace
}  // namespace flowspan::value
