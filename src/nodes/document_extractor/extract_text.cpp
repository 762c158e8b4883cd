#include "nodes/document_extractor/extract_text.hpp"

#include "flowspan/base/text.hpp"
#include "nodes/document_extractor/book.hpp"
#include "nodes/document_extractor/mail.hpp"
#include "nodes/document_extractor/pdf.hpp"
#include "nodes/document_extractor/plain_formats.hpp"
#include "nodes/document_extractor/sheets.hpp"
#include "nodes/document_extractor/word.hpp"
#include "nodes/document_extractor/zip_archive.hpp"
#include "nodes/text_encoding.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace flowspan::nodes::document_extractor {

namespace {

constexpr std::array<std::string_view, 17> kNames = {
    "plain text",
    "JSON",
    "YAML",
    "properties",
    "CSV",
    "VTT",
    "PDF",
    "DOCX",
    "Excel",
    "PPTX",
    "EPUB",
    "ODT",
    "EML",
    "DOC",
    "XLS",
    "PPT",
    "MSG",
};

// Word processors write encrypted documents, and all documents before 2007, as such containers.
constexpr std::string_view kCompoundFileMark = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

std::unexpected<Error> fail_old_format(DocumentKind kind) {
    if (kind == DocumentKind::old_word) {
        return failure(
            ErrorCode::unsupported,
            "Unstructured API URL is not configured for DOC file processing."
        );
    }
    return failure(
        ErrorCode::unsupported,
        "the old binary format cannot be read; save the file in its newer format"
    );
}

template <class Read>
Result<std::string> read_archive(std::string_view bytes, const Limits& limits, Read read) {
    if (bytes.starts_with(kCompoundFileMark)) {
        return failure(ErrorCode::invalid_input, "the document is encrypted, or of an old format");
    }
    FLOWSPAN_TRY(auto archive, ZipArchive::open(bytes, limits.document_unpacked_size_max));
    return read(archive);
}

Result<std::string> read_document(DocumentKind kind, std::string_view bytes, const Limits& limits) {
    const auto text = [bytes] { return decode_text(bytes, "", BadBytes::drop); };
    switch (kind) {
        case DocumentKind::plain:
            return text();
        case DocumentKind::json:
            return read_json(text());
        case DocumentKind::yaml:
            return read_yaml(text());
        case DocumentKind::properties:
            return read_properties(text());
        case DocumentKind::csv:
            return read_csv(text());
        case DocumentKind::captions:
            return read_captions(text());
        case DocumentKind::pdf:
            return read_pdf(bytes, limits.document_text_size_max);
        case DocumentKind::word:
            return read_archive(bytes, limits, read_word);
        case DocumentKind::sheets:
            return read_archive(bytes, limits, read_sheets);
        case DocumentKind::slides:
            return read_archive(bytes, limits, read_slides);
        case DocumentKind::book:
            return read_archive(bytes, limits, read_book);
        case DocumentKind::open_text:
            return read_archive(bytes, limits, read_open_text);
        case DocumentKind::mail:
            return read_mail(bytes);
        case DocumentKind::old_sheets:
            // Newer workbooks often come under the old MIME type.
            if (bytes.starts_with("PK")) {
                return read_archive(bytes, limits, read_sheets);
            }
            return fail_old_format(kind);
        case DocumentKind::old_word:
        case DocumentKind::old_slides:
        case DocumentKind::old_mail:
            return fail_old_format(kind);
    }
    return std::string();
}

}  // namespace

Result<std::string> extract_text(DocumentKind kind, std::string_view bytes, const Limits& limits) {
    const auto name = kNames[static_cast<std::size_t>(kind)];
    const auto fail = [name](Error error) {
        error.message = fmt::format("Failed to extract text from {}: {}", name, error.message);
        return failure(std::move(error));
    };
    if (bytes.size() > limits.document_size_max) {
        return fail(Error(
            ErrorCode::limit_exceeded,
            fmt::format("the file has more than {} bytes", limits.document_size_max)
        ));
    }
    auto text = read_document(kind, bytes, limits);
    if (!text) {
        return kind == DocumentKind::old_word ? std::move(text) : fail(std::move(text).error());
    }
    if (text->size() > limits.document_text_size_max) {
        return fail(Error(
            ErrorCode::limit_exceeded,
            fmt::format("the text has more than {} bytes", limits.document_text_size_max)
        ));
    }
    return is_valid_utf8(*text) ? std::move(text) : to_valid_utf8(*text);
}

}  // namespace flowspan::nodes::document_extractor
