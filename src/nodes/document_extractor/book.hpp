#pragma once
// Documents of many parts that are read one after the other: slides and e-books.

#include "nodes/document_extractor/zip_archive.hpp"

#include <string>

namespace flowspan::nodes::document_extractor {

/// .pptx: the paragraphs of all slides in their order, one a line.
[[nodiscard]] Result<std::string> read_slides(ZipArchive& archive);

/// .epub: the paragraphs of all chapters in reading order, one a line.
[[nodiscard]] Result<std::string> read_book(ZipArchive& archive);

}  // namespace flowspan::nodes::document_extractor
