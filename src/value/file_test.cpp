#include "flowspan/value/file.hpp"

#include "flowspan/value/value.hpp"

#include <gtest/gtest.h>

namespace flowspan::value {
namespace {

const json::value& record() {
    static const json::value data = {
        {kFileIdentityKey, kFileIdentity},
        {"type", "document"},
        {"transfer_method", "remote_url"},
        {"remote_url", "http://x/a.pdf"},
        {"filename", "a.pdf"},
        {"extension", ".pdf"},
        {"mime_type", "application/pdf"},
        {"size", 12},
        {"reference", "r1"},
    };
    return data;
}

TEST(File, GivesEveryAttributeByItsSelectorName) {
    EXPECT_EQ(file_attribute(record(), "type"), json::value("document"));
    EXPECT_EQ(file_attribute(record(), "size"), json::value(12));
    EXPECT_EQ(file_attribute(record(), "name"), json::value("a.pdf"));
    EXPECT_EQ(file_attribute(record(), "mime_type"), json::value("application/pdf"));
    EXPECT_EQ(file_attribute(record(), "transfer_method"), json::value("remote_url"));
    EXPECT_EQ(file_attribute(record(), "url"), json::value("http://x/a.pdf"));
    EXPECT_EQ(file_attribute(record(), "extension"), json::value(".pdf"));
    EXPECT_EQ(file_attribute(record(), "related_id"), json::value("r1"));
}

TEST(File, TellsAMissingValueFromAnUnknownAttribute) {
    const json::value bare = {{kFileIdentityKey, kFileIdentity}};
    EXPECT_EQ(file_attribute(bare, "name"), json::value());
    EXPECT_EQ(file_attribute(bare, "url"), json::value());
    EXPECT_EQ(file_attribute(bare, "related_id"), json::value());
    EXPECT_EQ(file_attribute(bare, "size"), json::value(-1));
    EXPECT_FALSE(file_attribute(bare, "filename"));
    EXPECT_FALSE(file_attribute(bare, ""));
}

TEST(File, PrefersTheResolvedUrlAndTheNewestReference) {
    const json::value data = {
        {"url", "http://signed"},
        {"remote_url", "http://raw"},
        {"upload_file_id", "old"},
        {"related_id", "new"},
    };
    EXPECT_EQ(file_url(data), "http://signed");
    EXPECT_EQ(file_attribute(data, "related_id"), json::value("new"));
}

TEST(File, DetectsTheTypeByExtensionThenMime) {
    struct Case {
        std::string_view extension;
        std::string_view mime;
        std::string_view type;
    };

    const Case cases[] = {
        {".PNG", "", "image"},
        {"svg", "text/plain", "image"},
        {"mpga", "", "audio"},
        {"mpeg", "", "video"},
        {"odt", "", "document"},
        {"", "image/tiff", "image"},
        {"", "images/tiff", "custom"},
        {"", "video/x", "video"},
        {"bin", "audio/x", "audio"},
        {"", "text/x-anything", "document"},
        {"", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document"},
        {"", "message/rfc822", "document"},
        {"zip", "application/zip", "custom"},
        {"", "", "custom"},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(detect_file_type(test.extension, test.mime), test.type)
            << test.extension << " " << test.mime;
    }
}

}  // namespace
}  // namespace flowspan::value
