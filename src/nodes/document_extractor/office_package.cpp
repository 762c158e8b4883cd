#include "nodes/document_extractor/office_package.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

namespace flowspan::nodes::document_extractor {

namespace {

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const auto* digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

Result<void> read_part(ZipArchive& archive, const std::string& name, pugi::xml_document& document) {
    FLOWSPAN_TRY(const auto xml, archive.read(name));
    return parse_xml(document, xml);
}

std::map<std::string, std::string> read_relationships(ZipArchive& archive, std::string_view part) {
    const auto slash = part.rfind('/');
    const auto folder = slash == std::string_view::npos ? "" : part.substr(0, slash + 1);
    const auto name = fmt::format("{}_rels/{}.rels", folder, part.substr(folder.size()));
    std::map<std::string, std::string> parts;
    pugi::xml_document document;
    if (!archive.contains(name) || !read_part(archive, name, document)) {
        return parts;
    }
    for (const auto& one : document.document_element().children()) {
        parts.emplace(attribute(one, "Id"), resolve_part(part, attribute(one, "Target")));
    }
    return parts;
}

std::string resolve_part(std::string_view part, std::string_view reference) {
    const auto path = percent_decode(reference.substr(0, reference.find('#')));
    const auto slash = part.rfind('/');
    std::string whole(
        path.starts_with('/') || slash == std::string_view::npos ? "" : part.substr(0, slash + 1)
    );
    whole += path;
    std::vector<std::string_view> steps;
    for (const auto step : split(whole, '/')) {
        if (step == "..") {
            if (!steps.empty()) {
                steps.pop_back();
            }
        } else if (!step.empty() && step != ".") {
            steps.push_back(step);
        }
    }
    return fmt::format("{}", fmt::join(steps, "/"));
}

}  // namespace flowspan::nodes::document_extractor
