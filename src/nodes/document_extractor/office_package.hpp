#pragma once
// What Office Open XML files have in common: parts, and relationships that name them by id.

#include "nodes/document_extractor/xml_walk.hpp"
#include "nodes/document_extractor/zip_archive.hpp"

#include <map>
#include <string>
#include <string_view>

namespace flowspan::nodes::document_extractor {

/// Reads and parses a part. Errors of ZipArchive::read and parse_xml.
[[nodiscard]] Result<void> read_part(
    ZipArchive& archive, const std::string& name, pugi::xml_document& document
);

/// Ids and names of the parts that `part` (`xl/workbook.xml`) refers to; empty if it has none.
[[nodiscard]] std::map<std::string, std::string> read_relationships(
    ZipArchive& archive, std::string_view part
);

/// `reference` as seen from `part`, with `.` and `..` resolved and escapes decoded:
/// `OEBPS/text/1.xhtml`.
[[nodiscard]] std::string resolve_part(std::string_view part, std::string_view reference);

}  // namespace flowspan::nodes::document_extractor
