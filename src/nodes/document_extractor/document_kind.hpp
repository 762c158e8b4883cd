#pragma once
// Which way of reading fits a file: by its extension, else by its MIME type.

#include "flowspan/base/result.hpp"

#include <cstdint>
#include <string_view>

namespace flowspan::nodes::document_extractor {

enum class DocumentKind : std::uint8_t {
    plain,
    json,
    yaml,
    properties,
    csv,
    captions,  ///< WebVTT, if told by its MIME type; a .vtt is plain text
    pdf,
    word,
    sheets,
    slides,
    book,
    open_text,
    mail,
    old_word,
    old_sheets,
    old_slides,
    old_mail,
};

/// `extension` with dot. Errors, in the app format's words: `unsupported`, and `invalid_input` if
/// both are empty.
[[nodiscard]] Result<DocumentKind> find_document_kind(
    std::string_view extension, std::string_view mime_type
);

}  // namespace flowspan::nodes::document_extractor
