#include "nodes/document_extractor/book.hpp"

#include "flowspan/base/text.hpp"
#include "nodes/document_extractor/office_package.hpp"

#include <map>
#include <utility>
#include <vector>

namespace flowspan::nodes::document_extractor {

namespace {

constexpr auto kPresentation = "ppt/presentation.xml";

std::string slide_paragraph(pugi::xml_node paragraph) {
    std::string text;
    for (auto node = paragraph.first_child(); node;) {
        const auto name = local_name(node);
        if (name == "t") {
            text += node.text().get();
        } else if (name == "br") {
            text += '\n';
        }
        node = next_node(node, paragraph, true);
    }
    return text;
}

void append_slide(std::string& out, pugi::xml_node slide) {
    for (auto node = slide.first_child(); node;) {
        const bool is_paragraph = local_name(node) == "p";
        if (is_paragraph) {
            const auto text = slide_paragraph(node);
            if (!trim(text).empty()) {
                out.append(out.empty() ? "" : "\n").append(text);
            }
        }
        node = next_node(node, slide, !is_paragraph && local_name(node) != "Fallback");
    }
}

/// Parts of the chapters, in reading order.
std::vector<std::string> chapters(pugi::xml_node package, std::string_view package_name) {
    std::map<std::string, std::string, std::less<>> items;
    for (const auto& item : child(package, "manifest").children()) {
        items.emplace(attribute(item, "id"), resolve_part(package_name, attribute(item, "href")));
    }
    std::vector<std::string> names;
    for (const auto& reference : child(package, "spine").children()) {
        if (const auto found = items.find(attribute(reference, "idref")); found != items.end()) {
            names.push_back(found->second);
        }
    }
    return names;
}

}  // namespace

Result<std::string> read_slides(ZipArchive& archive) {
    pugi::xml_document presentation;
    if (auto read = read_part(archive, kPresentation, presentation); !read) {
        return failure(std::move(read).error());
    }
    const auto parts = read_relationships(archive, kPresentation);
    std::string text;
    for (const auto& slide : child(presentation.document_element(), "sldIdLst").children()) {
        // Two attributes are called `id`; the one with a prefix names the relationship.
        std::string id;
        for (const auto& one : slide.attributes()) {
            if (std::string_view(one.name()).ends_with(":id")) {
                id = one.value();
            }
        }
        const auto found = parts.find(id);
        if (found == parts.end()) {
            continue;
        }
        pugi::xml_document document;
        if (auto read = read_part(archive, found->second, document); !read) {
            return failure(std::move(read).error());
        }
        append_slide(text, document.document_element());
    }
    return text;
}

Result<std::string> read_book(ZipArchive& archive) {
    pugi::xml_document container;
    if (auto read = read_part(archive, "META-INF/container.xml", container); !read) {
        return failure(std::move(read).error());
    }
    const auto rootfile = child(child(container.document_element(), "rootfiles"), "rootfile");
    const std::string package_name(attribute(rootfile, "full-path"));
    if (archive.contains("META-INF/rights.xml")) {
        return failure(ErrorCode::invalid_input, "the document is encrypted");
    }
    pugi::xml_document package;
    if (auto read = read_part(archive, package_name, package); !read) {
        return failure(std::move(read).error());
    }
    std::string text;
    for (const auto& name : chapters(package.document_element(), package_name)) {
        if (!archive.contains(name)) {
            continue;
        }
        FLOWSPAN_TRY(const auto xhtml, archive.read(name));
        pugi::xml_document document;
        parse_xhtml(document, xhtml);
        append_xhtml_text(text, document.root());
    }
    return text;
}

}  // namespace flowspan::nodes::document_extractor
