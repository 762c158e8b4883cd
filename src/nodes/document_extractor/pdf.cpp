#include "nodes/document_extractor/pdf.hpp"

#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <limits>
#include <memory>
#include <mutex>

namespace flowspan::nodes::document_extractor {

namespace {

constexpr int kPagesMax = 20'000;

// The library writes about every flaw of a document, with parts of it, to standard error.
void silence_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
    });
}

}  // namespace

Result<std::string> read_pdf(std::string_view bytes, std::size_t text_max) {
    silence_library();
    if (bytes.empty() || bytes.size() > std::numeric_limits<int>::max()) {
        return failure(ErrorCode::invalid_input, "the document is empty or too large");
    }
    const std::unique_ptr<poppler::document> document(
        poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size()))
    );
    if (document == nullptr) {
        return failure(ErrorCode::invalid_input, "the document is broken");
    }
    if (document->is_locked()) {
        return failure(ErrorCode::invalid_input, "the document is encrypted");
    }
    if (document->pages() > kPagesMax) {
        return failure(ErrorCode::limit_exceeded, "the document has too many pages");
    }
    std::string text;
    for (int i = 0; i < document->pages(); ++i) {
        const std::unique_ptr<poppler::page> page(document->create_page(i));
        if (page == nullptr) {
            continue;  // other pages of a damaged document may still be read
        }
        const auto bytes_of_page =
            page->text(poppler::rectf(), poppler::page::non_raw_non_physical_layout).to_utf8();
        std::string_view page_text(bytes_of_page.data(), bytes_of_page.size());
        // The library ends each page with line breaks and a form feed.
        page_text = page_text.substr(0, page_text.find_last_not_of(" \n\r\f") + 1);
        text += page_text;
        if (text.size() > text_max) {
            return failure(ErrorCode::limit_exceeded, "the document has too much text");
        }
    }
    return text;
}

}  // namespace flowspan::nodes::document_extractor
