#include "nodes/document_extractor/extract_text.hpp"

#include <gtest/gtest.h>
#include <zip.h>

#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::document_extractor {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::string make_zip(const Files& files) {
    auto* source = zip_source_buffer_create(nullptr, 0, 0, nullptr);
    zip_source_keep(source);
    auto* archive = zip_open_from_source(source, ZIP_TRUNCATE, nullptr);
    for (const auto& [name, content] : files) {
        auto* entry = zip_source_buffer(archive, content.data(), content.size(), 0);
        zip_file_add(archive, name.c_str(), entry, ZIP_FL_OVERWRITE);
    }
    EXPECT_EQ(zip_close(archive), 0);
    zip_source_open(source);
    zip_source_seek(source, 0, SEEK_END);
    std::string bytes(static_cast<std::size_t>(zip_source_tell(source)), '\0');
    zip_source_seek(source, 0, SEEK_SET);
    zip_source_read(source, bytes.data(), bytes.size());
    zip_source_close(source);
    zip_source_free(source);
    return bytes;
}

std::string text_of(DocumentKind kind, std::string_view bytes) {
    auto text = extract_text(kind, bytes, Limits{});
    return text ? *text : "error: " + text.error().message;
}

std::string docx(const std::string& body) {
    return make_zip(
        {{"word/document.xml", "<w:document xmlns:w='w'><w:body>" + body + "</w:body></w:document>"}
        }
    );
}

// One page with one line, its cross-reference table made to fit.
std::string make_pdf(const std::string& line) {
    const std::string stream = "BT /F1 24 Tf 72 700 Td (" + line + ") Tj ET";
    const std::vector<std::string> objects = {
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>",
        "<</Length " + std::to_string(stream.size()) + ">>stream\n" + stream + "\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    };
    std::string pdf = "%PDF-1.4\n";
    std::string table = "0000000000 65535 f \n";
    for (std::size_t i = 0; i < objects.size(); ++i) {
        auto offset = std::to_string(pdf.size());
        table += std::string(10 - offset.size(), '0') + offset + " 00000 n \n";
        pdf += std::to_string(i + 1) + " 0 obj" + objects[i] + "endobj\n";
    }
    const auto start = std::to_string(pdf.size());
    pdf +=
        "xref\n0 6\n" + table + "trailer<</Size 6/Root 1 0 R>>\nstartxref\n" + start + "\n%%EOF\n";
    return pdf;
}

TEST(DocumentKind, GoesByExtensionThenByMimeType) {
    struct Row {
        std::string_view extension;
        std::string_view mime_type;
        std::string expected;
    };

    const std::vector<Row> rows = {
        {".TXT", "application/pdf", "0"},
        {"docx", "", "7"},
        {".vtt", "", "0"},
        {"", "text/vtt", "5"},
        {"", "Text/Plain; charset=utf-8", "0"},
        {"", "application/pdf", "6"},
        {".zip", "text/plain", "Unsupported Extension Type: .zip"},
        {"", "image/png", "Unsupported MIME type: image/png"},
        {"", "", "Unable to determine file type: MIME type or file extension is missing"},
    };
    for (const auto& row : rows) {
        const auto kind = find_document_kind(row.extension, row.mime_type);
        const auto actual = kind ? std::to_string(static_cast<int>(*kind)) : kind.error().message;
        EXPECT_EQ(actual, row.expected) << row.extension << ' ' << row.mime_type;
    }
}

TEST(ExtractText, ReadsPlainFormats) {
    struct Row {
        DocumentKind kind;
        std::string bytes;
        std::string expected;
    };

    const std::vector<Row> rows = {
        {DocumentKind::plain, "<b>no tags go</b>", "<b>no tags go</b>"},
        {DocumentKind::plain, "\xef\xbb\xbfmark", "mark"},
        {DocumentKind::plain, "caf\xe9 au lait", "café au lait"},
        {DocumentKind::plain, "\xd6\xd0\xce\xc4\xce\xc4\xb1\xbe", "中文文本"},
        {DocumentKind::json,
         R"({"a": [1, 1.0, "é"]})",
         "{\n  \"a\": [\n    1,\n    1.0,\n    \"é\"\n  ]\n}"},
        {DocumentKind::json, "{", "error: Failed to extract text from JSON: it is no valid JSON"},
        {DocumentKind::yaml, "a: {b: [1, '2', \"x\"]} # note\n", "a:\n  b:\n  - 1\n  - '2'\n  - x\n"
        },
        {DocumentKind::yaml,
         "a: [",
         "error: Failed to extract text from YAML: it is no valid YAML "
         "(line 2)"},
        {DocumentKind::properties, "# c\na = 1\n\nb:2\nalone", "# c\na: 1\n\nb: 2\nalone: "},
        {DocumentKind::csv, "", ""},
        {DocumentKind::csv,
         "name,\"a\"\"b\"\r\n\"x\ny\",2\n",
         "| name | a\"b |\n| ---- | --- |\n| x y | 2 |\n"},
        {DocumentKind::captions,
         "WEBVTT\n\n1\n00:00.000 --> 00:01.000\n<v Ann>Hi\n\n00:01.000 --> 00:02.000\n<v "
         "Ann>there\n\n00:02.000 --> 00:03.000\n<v Bob>Yes</v>\n",
         "Ann \"Hi there\"\nBob \"Yes\""},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(text_of(row.kind, row.bytes), row.expected) << row.bytes;
    }
}

TEST(ExtractText, ReadsParagraphsAndTablesOfWordInOrder) {
    const auto bytes = docx(
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>One</w:t><w:tab/>"
        "<w:t>two</w:t></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>A</w:t></w:r></w:p><w:p><w:r><w:t>B</w:t></w:r></w:p>"
        "</w:tc><w:tc><w:p><w:r><w:t>C</w:t></w:r></w:p></w:tc></w:tr>"
        "<w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr><w:p><w:r><w:t>wide</w:t></w:r></w:p>"
        "</w:tc></w:tr></w:tbl>"
        "<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>Three</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    );
    EXPECT_EQ(
        text_of(DocumentKind::word, bytes),
        "One\ttwo\n| A<br>B | C |\n| --- | --- |\n| wide | wide |\n\nThree"
    );
}

TEST(ExtractText, ReadsSheetsAsTables) {
    const auto bytes = make_zip({
        {"xl/workbook.xml",
         "<workbook xmlns:r='r'><sheets><sheet name='S' r:id='r1'/><sheet name='Lost' "
         "r:id='r2'/></sheets></workbook>"},
        {"xl/_rels/workbook.xml.rels",
         "<Relationships><Relationship Id='r1' Target='worksheets/sheet1.xml'/>"
         "<Relationship Id='r2' Target='/xl/gone.xml'/></Relationships>"},
        {"xl/sharedStrings.xml",
         "<sst><si><t>name</t></si><si><r><t>An</t></r><r><t>n\nB</t></r></si></sst>"},
        {"xl/styles.xml",
         "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>"},
        {"xl/worksheets/sheet1.xml",
         "<worksheet><sheetData>"
         "<row><c r='A1' t='s'><v>0</v></c><c r='B1' t='inlineStr'><is><t>n</t></is></c>"
         "<c r='D1' t='str'><v>day</v></c></row>"
         "<row><c r='A2' t='s'><v>1</v></c><c r='B2'><v>3</v></c>"
         "<c r='D2' s='1'><v>45292</v></c></row>"
         "<row/><row><c r='A4' t='b'><v>1</v></c></row>"
         "</sheetData></worksheet>"},
    });
    EXPECT_EQ(
        text_of(DocumentKind::sheets, bytes),
        "| name | n | Unnamed: 2 | day |\n| ---- | - | ---------- | --- |\n"
        "| Ann B | 3.0 | nan | 2024-01-01 00:00:00 |\n| True | nan | nan | nan |\n\n"
    );
}

TEST(ExtractText, ReadsSlidesBooksAndOpenText) {
    const auto slides = make_zip({
        {"ppt/presentation.xml",
         "<p:presentation xmlns:p='p' xmlns:r='r'><p:sldIdLst><p:sldId id='256' r:id='b'/>"
         "<p:sldId id='257' r:id='a'/></p:sldIdLst></p:presentation>"},
        {"ppt/_rels/presentation.xml.rels",
         "<Relationships><Relationship Id='a' Target='slides/slide1.xml'/>"
         "<Relationship Id='b' Target='slides/slide2.xml'/></Relationships>"},
        {"ppt/slides/slide1.xml", "<p:sld xmlns:a='a'><a:p><a:r><a:t>last</a:t></a:r></a:p></p:sld>"
        },
        {"ppt/slides/slide2.xml",
         "<p:sld xmlns:a='a'><a:p><a:r><a:t>fir</a:t></a:r><a:r><a:t>st</a:t></a:r></a:p></p:sld>"},
    });
    EXPECT_EQ(text_of(DocumentKind::slides, slides), "first\nlast");
    const auto book = make_zip({
        {"META-INF/container.xml",
         "<container><rootfiles><rootfile full-path='O/p.opf'/></rootfiles></container>"},
        {"O/p.opf",
         "<package><manifest><item id='one' href='t/1%20a.xhtml'/></manifest>"
         "<spine><itemref idref='one'/></spine></package>"},
        {"O/t/1 a.xhtml",
         "<html><head><title>x</title></head><body><h1>Chapter&nbsp;1</h1>\n<p>It <b>was</b>\n "
         "so.</p></body></html>"},
    });
    EXPECT_EQ(
        text_of(DocumentKind::book, book),
        "Chapter\xc2\xa0"
        "1\nIt was so."
    );
    const auto open = make_zip({
        {"META-INF/manifest.xml", "<manifest/>"},
        {"content.xml",
         "<o xmlns:text='t'><text:h>Title</text:h><text:p>a<text:s text:c='2'/>b<text:tab/>c"
         "</text:p></o>"},
    });
    EXPECT_EQ(text_of(DocumentKind::open_text, open), "Title\na  b\tc");
}

TEST(ExtractText, ReadsThePagesOfAPdf) {
    EXPECT_EQ(text_of(DocumentKind::pdf, make_pdf("Hello pages")), "Hello pages");
    EXPECT_EQ(
        text_of(DocumentKind::pdf, "%PDF-1.4 nothing"),
        "error: Failed to extract text from PDF: the document is broken"
    );
}

TEST(ExtractText, ReadsTheTextPartsOfMail) {
    EXPECT_EQ(
        text_of(
            DocumentKind::mail,
            "Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary=\"b\"\r\n\r\npre\r\n--b\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
            "quoted-printable\r\n\r\nCaf=C3=A9 is=\r\n open\r\n\r\n--b\r\nContent-Type: "
            "text/plain\r\nContent-Disposition: attachment\r\n\r\nno\r\n--b--\r\n"
        ),
        "Café is open"
    );
    EXPECT_EQ(
        text_of(
            DocumentKind::mail,
            "Content-Type: text/html\nContent-Transfer-Encoding: "
            "base64\n\nPHA+SGk8L3A+PHA+eW91PC9wPg==\n"
        ),
        "Hi\nyou"
    );
}

TEST(ExtractText, RefusesOldEncryptedBrokenAndHugeDocuments) {
    EXPECT_EQ(
        text_of(DocumentKind::old_word, "x"),
        "error: Unstructured API URL is not configured for DOC file processing."
    );
    EXPECT_TRUE(text_of(DocumentKind::old_mail, "x").contains("old binary format"));
    EXPECT_TRUE(
        text_of(DocumentKind::word, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").contains("encrypted")
    );
    EXPECT_TRUE(text_of(DocumentKind::word, "PK no zip").contains("broken"));
    EXPECT_TRUE(text_of(DocumentKind::word, docx("<w:p>").substr(0, 60)).contains("broken"));
    EXPECT_TRUE(text_of(DocumentKind::word, make_zip({{"a", "b"}})).contains("lacks a part"));
    Limits limits;
    limits.document_unpacked_size_max = 10'000;
    const auto bomb = docx("<w:p><w:r><w:t>" + std::string(1'000'000, 'a') + "</w:t></w:r></w:p>");
    ASSERT_LT(bomb.size(), 10'000U);
    EXPECT_EQ(
        extract_text(DocumentKind::word, bomb, limits).error().code, ErrorCode::limit_exceeded
    );
    limits.document_text_size_max = 3;
    EXPECT_EQ(
        extract_text(DocumentKind::plain, "four", limits).error().code, ErrorCode::limit_exceeded
    );
    limits.document_size_max = 3;
    EXPECT_EQ(
        extract_text(DocumentKind::plain, "four", limits).error().code, ErrorCode::limit_exceeded
    );
}

TEST(ExtractText, SurvivesDeepNesting) {
    std::string deep;
    for (int i = 0; i < 20'000; ++i) {
        deep += "<w:sdt>";
    }
    EXPECT_TRUE(text_of(DocumentKind::word, docx(deep)).starts_with("error: "));
    std::string html = "Content-Type: text/html\n\n";
    for (int i = 0; i < 20'000; ++i) {
        html += "<b>x";
    }
    EXPECT_TRUE(text_of(DocumentKind::mail, html).starts_with("xxx"));
    EXPECT_TRUE(text_of(DocumentKind::yaml, std::string(5000, '[')).starts_with("error: "));
}

}  // namespace
}  // namespace flowspan::nodes::document_extractor
