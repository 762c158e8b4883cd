#include "nodes/document_extractor/word.hpp"

#include "flowspan/base/text.hpp"
#include "nodes/document_extractor/office_package.hpp"
#include "nodes/document_extractor/plain_formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>
#include <vector>

namespace flowspan::nodes::document_extractor {

namespace {

// The format's own limit of a table's columns.
constexpr std::size_t kColumnsMax = 63;
// Spaces that one element may stand for.
constexpr std::size_t kSpacesMax = 1000;

std::size_t number(std::string_view text, std::size_t fallback, std::size_t max) {
    std::size_t value = fallback;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::clamp<std::size_t>(value, 1, max);
}

std::string paragraph_text(pugi::xml_node paragraph) {
    std::string text;
    for (auto node = paragraph.first_child(); node;) {
        const auto name = local_name(node);
        // Properties have tabs of their own; a fallback repeats what stands before it.
        const bool is_skipped = name == "pPr" || name == "rPr" || name == "Fallback";
        if (name == "t") {
            text += node.text().get();
        } else if (name == "tab") {
            text += '\t';
        } else if (name == "br" || name == "cr") {
            text += '\n';
        } else if (name == "noBreakHyphen") {
            text += '-';
        }
        node = next_node(node, paragraph, !is_skipped);
    }
    return text;
}

std::string cell_text(pugi::xml_node cell) {
    std::vector<std::string> paragraphs;
    for (auto node = cell.first_child(); node;) {
        const bool is_paragraph = local_name(node) == "p";
        if (is_paragraph) {
            paragraphs.push_back(paragraph_text(node));
        }
        node = next_node(node, cell, !is_paragraph);
    }
    std::string text;
    for (const char c : fmt::format("{}", fmt::join(paragraphs, "\n"))) {
        if (c == '\n') {
            text += "<br>";
        } else {
            text += c;
        }
    }
    return text;
}

// Merged cells repeat their text in every place they cover.
std::vector<std::string> row_cells(pugi::xml_node row, const std::vector<std::string>& above) {
    std::vector<std::string> cells;
    for (auto node = row.first_child(); node && cells.size() < kColumnsMax;) {
        const bool is_cell = local_name(node) == "tc";
        if (is_cell) {
            const auto properties = child(node, "tcPr");
            const auto merge = child(properties, "vMerge");
            const bool continues = merge && attribute(merge, "val") != "restart";
            auto text =
                continues && cells.size() < above.size() ? above[cells.size()] : cell_text(node);
            const auto span = child(properties, "gridSpan");
            const auto width = span ? number(attribute(span, "val"), 1, kColumnsMax) : 1;
            cells.insert(cells.end(), width, text);
        }
        node = next_node(node, row, !is_cell);
    }
    return cells;
}

std::string table_text(pugi::xml_node table) {
    std::string text;
    std::vector<std::string> above;
    bool has_content = false;
    for (auto node = table.first_child(); node;) {
        const bool is_row = local_name(node) == "tr";
        if (is_row) {
            auto cells = row_cells(node, above);
            has_content = has_content || std::ranges::any_of(cells, [](const auto& cell) {
                              return !trim(cell).empty();
                          });
            append_table_row(text, cells);
            if (above.empty()) {
                append_table_row(text, std::vector<std::string>(cells.size(), "---"));
            }
            above = std::move(cells);
        }
        node = next_node(node, table, !is_row);
    }
    return has_content ? text : std::string();
}

std::string open_paragraph_text(pugi::xml_node paragraph) {
    std::string text;
    for (auto node = paragraph.first_child(); node;) {
        const auto name = local_name(node);
        if (node.type() == pugi::node_pcdata) {
            text += node.value();
        } else if (name == "tab") {
            text += '\t';
        } else if (name == "line-break") {
            text += '\n';
        } else if (name == "s") {
            text.append(number(attribute(node, "c"), 1, kSpacesMax), ' ');
        }
        node = next_node(node, paragraph, name != "annotation" && name != "tracked-changes");
    }
    return text;
}

}  // namespace

Result<std::string> read_word(ZipArchive& archive) {
    pugi::xml_document document;
    FLOWSPAN_TRY(const auto xml, archive.read("word/document.xml"));
    if (auto parsed = parse_xml(document, xml); !parsed) {
        return failure(std::move(parsed).error());
    }
    const auto body = child(document.document_element(), "body");
    std::vector<std::string> parts;
    for (auto node = body.first_child(); node;) {
        const auto name = local_name(node);
        if (name == "p") {
            parts.push_back(paragraph_text(node));
        } else if (name == "tbl") {
            if (auto table = table_text(node); !table.empty()) {
                parts.push_back(std::move(table));
            }
        }
        node = next_node(node, body, name != "p" && name != "tbl");
    }
    return fmt::format("{}", fmt::join(parts, "\n"));
}

Result<std::string> read_open_text(ZipArchive& archive) {
    pugi::xml_document document;
    FLOWSPAN_TRY(const auto manifest, archive.read("META-INF/manifest.xml"));
    if (manifest.contains("encryption-data")) {
        return failure(ErrorCode::invalid_input, "the document is encrypted");
    }
    FLOWSPAN_TRY(const auto xml, archive.read("content.xml"));
    if (auto parsed = parse_xml(document, xml); !parsed) {
        return failure(std::move(parsed).error());
    }
    const auto root = document.document_element();
    std::vector<std::string> lines;
    for (auto node = root.first_child(); node;) {
        const auto name = local_name(node);
        const bool is_text = name == "p" || name == "h";
        if (is_text) {
            auto text = open_paragraph_text(node);
            if (!trim(text).empty()) {
                lines.push_back(std::move(text));
            }
        }
        node = next_node(node, root, !is_text && name != "tracked-changes");
    }
    return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace flowspan::nodes::document_extractor
