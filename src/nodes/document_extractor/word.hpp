#pragma once
// Word processor documents: .docx and .odt.

#include "nodes/document_extractor/zip_archive.hpp"

#include <string>

namespace flowspan::nodes::document_extractor {

/// Paragraphs, and tables as markdown, in the document's order.
[[nodiscard]] Result<std::string> read_word(ZipArchive& archive);

/// Paragraphs and headings, one a line.
[[nodiscard]] Result<std::string> read_open_text(ZipArchive& archive);

}  // namespace flowspan::nodes::document_extractor
