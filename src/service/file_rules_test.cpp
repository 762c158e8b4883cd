#include "service/file_rules.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::service {
namespace {

struct Case {
    std::string rules;
    std::string file;
    std::string expected;  ///< the record's type, or the error text
};

class FileRulesTable : public ::testing::TestWithParam<Case> {};

TEST_P(FileRulesTable, JudgesOneFile) {
    const auto& [rules, file, expected] = GetParam();
    const auto taken =
        take_file(parse_json(file)->get_object(), read_file_rules(*parse_json(rules), "doc"));
    if (taken) {
        EXPECT_EQ(string_member(*taken, "type"), expected);
    } else {
        EXPECT_EQ(taken.error().message, expected);
        EXPECT_EQ(taken.error().code, ErrorCode::invalid_input);
    }
}

constexpr auto kPdf = R"({"transfer_method":"remote_url","url":"http://h/a.pdf"})";
constexpr auto kPng = R"({"transfer_method":"local_file","upload_file_id":"1","filename":"a.PNG"})";
constexpr auto kKotlin = R"({"transfer_method":"remote_url","url":"http://h/a.kt"})";
constexpr auto kNameless = R"({"transfer_method":"remote_url","url":"http://h/get?id=1"})";
constexpr auto kMadeByTool =
    R"({"transfer_method":"tool_file","tool_file_id":"1","filename":"a.kt"})";
constexpr auto kDocuments = R"({"allowed_file_types":["document"],"allowed_file_extensions":[]})";
constexpr auto kCode =
    R"({"allowed_file_types":["image","custom"],"allowed_file_extensions":[".KT","txt"]})";
constexpr auto kOnlyUrls = R"({"allowed_file_upload_methods":["remote_url"]})";
constexpr auto kNothingSaid =
    R"({"allowed_file_types":null,"allowed_file_extensions":null,"allowed_file_upload_methods":[]})";

INSTANTIATE_TEST_SUITE_P(
    Table,
    FileRulesTable,
    ::testing::Values(
        Case{kNothingSaid, kPdf, "document"},
        Case{kNothingSaid, kKotlin, "custom"},
        Case{kDocuments, kPdf, "document"},
        Case{
            kDocuments,
            kPng,
            "File validation failed for file: a.PNG (it is of type image with extension `.PNG`; "
            "doc "
            "takes: document)"
        },
        Case{kCode, kPng, "image"},
        Case{kCode, kKotlin, "custom"},
        // The extension makes it one of the custom files, whatever its own type.
        Case{kCode, R"({"transfer_method":"remote_url","url":"http://h/a.txt"})", "document"},
        Case{
            kCode,
            kPdf,
            "File validation failed for file: a.pdf (it is of type document with extension `.pdf`; "
            "doc takes: image, custom with extension kt, txt)"
        },
        Case{
            R"({"allowed_file_types":["custom"]})",
            kKotlin,
            "File validation failed for file: a.kt (it is of type custom with extension `.kt`; doc "
            "takes: custom without any extension)"
        },
        // Nothing but the rules says what it is.
        Case{kDocuments, kNameless, "document"},
        Case{
            R"({"allowed_file_types":["custom"],"allowed_file_extensions":["kt"]})",
            kNameless,
            "File validation failed for file: get (it is of type custom with extension ``; doc "
            "takes: custom with extension kt)"
        },
        Case{kOnlyUrls, kPdf, "document"},
        Case{
            kOnlyUrls,
            kPng,
            "File validation failed for file: a.PNG (it comes as local_file; doc takes: remote_url)"
        },
        Case{kDocuments, kMadeByTool, "custom"},
        Case{kDocuments, R"({"type":"document"})", "transfer_method is required in file mapping"}
    )
);

std::string uploads_text(std::string_view features, std::size_t count) {
    json::array files(
        count, json::value{{"transfer_method", "remote_url"}, {"url", "http://h/a.png"}}
    );
    files.push_back("no file");
    const auto taken = take_uploads(*parse_json(features), files);
    return taken ? std::to_string(taken->size()) + " files" : taken.error().message;
}

TEST(Uploads, FollowTheSettingOfTheApp) {
    EXPECT_EQ(uploads_text("{}", 1), "0 files");
    EXPECT_EQ(uploads_text(R"({"file_upload":{"enabled":false}})", 1), "0 files");
    EXPECT_EQ(uploads_text(R"({"file_upload":{"enabled":true}})", 3), "3 files");
    EXPECT_EQ(
        uploads_text(R"({"file_upload":{"enabled":true}})", 4),
        "Number of files exceeds the maximum limit 3"
    );
    EXPECT_EQ(
        uploads_text(R"({"file_upload":{"enabled":true,"number_limits":"1"}})", 2),
        "Number of files exceeds the maximum limit 1"
    );
    EXPECT_EQ(
        uploads_text(R"({"file_upload":{"enabled":true,"allowed_file_types":["audio"]}})", 1),
        "File validation failed for file: a.png (it is of type image with extension `.png`; the "
        "app "
        "takes: audio)"
    );
}

}  // namespace
}  // namespace flowspan::service
