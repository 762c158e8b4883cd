#pragma once
// Walking XML without recursion: documents from outside may be nested as deep as they are long.

#include "flowspan/base/result.hpp"

#include <pugixml.hpp>

#include <string>
#include <string_view>

namespace flowspan::nodes::document_extractor {

/// `p` of `w:p`.
[[nodiscard]] std::string_view local_name(pugi::xml_node node) noexcept;

/// The attribute by its local name; empty if absent.
[[nodiscard]] std::string_view attribute(pugi::xml_node node, std::string_view name) noexcept;

/// The first child element of this local name, or an empty node.
[[nodiscard]] pugi::xml_node child(pugi::xml_node node, std::string_view name) noexcept;

/// The node after `node` in document order within `root`; skips what is below `node` unless
/// `descends`. An empty node at the end.
[[nodiscard]] pugi::xml_node next_node(
    pugi::xml_node node, pugi::xml_node root, bool descends
) noexcept;

/// Error `invalid_input` for what is no XML. `xml` must outlive nothing: it is copied.
[[nodiscard]] Result<void> parse_xml(pugi::xml_document& document, const std::string& xml);

/// XHTML with errors in it gives what could be read.
void parse_xhtml(pugi::xml_document& document, const std::string& xhtml);

/// The texts of block elements (paragraphs, headings, list items, cells), one a line; scripts and
/// styles left out.
void append_xhtml_text(std::string& out, pugi::xml_node root);

}  // namespace flowspan::nodes::document_extractor
