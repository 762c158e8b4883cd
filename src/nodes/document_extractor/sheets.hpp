#pragma once
// Workbooks: .xlsx.

#include "nodes/document_extractor/zip_archive.hpp"

#include <string>

namespace flowspan::nodes::document_extractor {

/// A markdown table for each sheet, with a blank line after it. Empty rows are left out, empty
/// cells are `nan`, and numbers look as a data frame prints them; sheets that cannot be read are
/// skipped.
[[nodiscard]] Result<std::string> read_sheets(ZipArchive& archive);

}  // namespace flowspan::nodes::document_extractor
