#include "nodes/document_extractor/xml_walk.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace flowspan::nodes::document_extractor {

namespace {

std::string_view without_prefix(std::string_view name) noexcept {
    const auto colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// XML knows five names; books use HTML's.
std::string decode_entities(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kEntities = {{
        {"&nbsp;", "\xc2\xa0"},
        {"&ndash;", "–"},
        {"&mdash;", "—"},
        {"&hellip;", "…"},
        {"&lsquo;", "‘"},
        {"&rsquo;", "’"},
        {"&ldquo;", "“"},
        {"&rdquo;", "”"},
        {"&laquo;", "«"},
        {"&raquo;", "»"},
        {"&copy;", "©"},
        {"&reg;", "®"},
        {"&bull;", "•"},
        {"&middot;", "·"},
    }};
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto* found = text[i] != '&' ? kEntities.end()
                                           : std::ranges::find_if(kEntities, [&](const auto& one) {
                                                 return text.substr(i).starts_with(one.first);
                                             });
        if (found == kEntities.end()) {
            out += text[i++];
        } else {
            out += found->second;
            i += found->first.size();
        }
    }
    return out;
}

bool is_one_of(std::string_view name, const auto& names) {
    return std::ranges::find(names, name) != std::end(names);
}

bool is_block(std::string_view name) {
    constexpr std::array<std::string_view, 22> kBlocks = {
        "p",  "div",     "h1",      "h2",     "h3",     "h4",         "h5",  "h6",
        "li", "td",      "th",      "tr",     "br",     "blockquote", "pre", "dt",
        "dd", "section", "article", "header", "footer", "figcaption"
    };
    return is_one_of(name, kBlocks);
}

// Runs of white space mean one space in HTML.
void append_collapsed(std::string& line, std::string_view text) {
    for (const char c : text) {
        const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!is_space) {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
}

}  // namespace

std::string_view local_name(pugi::xml_node node) noexcept {
    return without_prefix(node.name());
}

std::string_view attribute(pugi::xml_node node, std::string_view name) noexcept {
    for (const auto& one : node.attributes()) {
        if (without_prefix(one.name()) == name) {
            return one.value();
        }
    }
    return {};
}

pugi::xml_node child(pugi::xml_node node, std::string_view name) noexcept {
    for (const auto& one : node.children()) {
        if (local_name(one) == name) {
            return one;
        }
    }
    return {};
}

pugi::xml_node next_node(pugi::xml_node node, pugi::xml_node root, bool descends) noexcept {
    if (descends && node.first_child()) {
        return node.first_child();
    }
    while (node && node != root) {
        if (const auto sibling = node.next_sibling()) {
            return sibling;
        }
        node = node.parent();
    }
    return {};
}

Result<void> parse_xml(pugi::xml_document& document, const std::string& xml) {
    const auto parsed =
        document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata);
    if (!parsed) {
        return failure(ErrorCode::invalid_input, "a part of the document is no valid XML");
    }
    return {};
}

void parse_xhtml(pugi::xml_document& document, const std::string& xhtml) {
    // Whatever was read before a mistake stays in the tree.
    static_cast<void>(document.load_buffer(
        xhtml.data(), xhtml.size(), pugi::parse_default | pugi::parse_ws_pcdata
    ));
}

void append_xhtml_text(std::string& out, pugi::xml_node root) {
    constexpr std::array<std::string_view, 4> kHidden = {"script", "style", "head", "svg"};
    std::string line;
    const auto end_line = [&] {
        const auto text = trim(line);
        if (!text.empty()) {
            out.append(out.empty() ? "" : "\n").append(text);
        }
        line.clear();
    };
    // The end of a block is seen as a change of the innermost block around a text.
    pugi::xml_node block;
    const auto block_around = [&](pugi::xml_node node) {
        // Inline elements are never this deep; a bomb of them would cost quadratic time.
        for (int hops = 0; hops < 16 && node != root && !is_block(local_name(node)); ++hops) {
            node = node.parent();
        }
        return node;
    };
    for (auto node = root.first_child(); node;) {
        const auto name = local_name(node);
        const bool is_hidden = is_one_of(name, kHidden);
        if (name == "br") {
            end_line();
        } else if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) {
            const auto around = block_around(node.parent());
            if (around != block) {
                end_line();
                block = around;
            }
            append_collapsed(line, decode_entities(node.value()));
        }
        node = next_node(node, root, !is_hidden);
    }
    end_line();
}

}  // namespace flowspan::nodes::document_extractor
