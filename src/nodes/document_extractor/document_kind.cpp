#include "nodes/document_extractor/document_kind.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/mime_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace flowspan::nodes::document_extractor {

namespace {

using enum DocumentKind;

constexpr std::array<std::string_view, 55> kPlainExtensions = {
    "txt",       "markdown",   "md",       "mdx", "html",  "htm",  "xml",   "c",   "h",    "cpp",
    "hpp",       "cc",         "cxx",      "c++", "py",    "js",   "ts",    "jsx", "tsx",  "java",
    "php",       "rb",         "go",       "rs",  "swift", "kt",   "scala", "sh",  "bash", "bat",
    "ps1",       "sql",        "r",        "m",   "pl",    "lua",  "vim",   "asm", "s",    "css",
    "scss",      "less",       "sass",     "ini", "cfg",   "conf", "toml",  "env", "log",  "vtt",
    "gitignore", "dockerfile", "makefile", "tex", "rst",
};

constexpr std::array<std::pair<std::string_view, DocumentKind>, 17> kExtensions = {{
    {"json", json},
    {"yaml", yaml},
    {"yml", yaml},
    {"pdf", pdf},
    {"doc", old_word},
    {"docx", word},
    {"csv", csv},
    {"xls", old_sheets},
    {"xlsx", sheets},
    {"ppt", old_slides},
    {"pptx", slides},
    {"epub", book},
    {"odt", open_text},
    {"eml", mail},
    {"msg", old_mail},
    {"properties", properties},
    {"jsonl", plain},
}};

constexpr std::array<std::pair<std::string_view, DocumentKind>, 18> kMimeTypes = {{
    {"application/xml", plain},
    {"application/json", json},
    {"application/yaml", yaml},
    {"application/x-yaml", yaml},
    {"text/yaml", yaml},
    {"application/pdf", pdf},
    {"application/msword", old_word},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", word},
    {"text/csv", csv},
    {"application/vnd.ms-excel", old_sheets},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheets},
    {"application/vnd.ms-powerpoint", old_slides},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", slides},
    {"application/epub+zip", book},
    {"application/vnd.oasis.opendocument.text", open_text},
    {"message/rfc822", mail},
    {"application/vnd.ms-outlook", old_mail},
    {"text/vtt", captions},
}};

std::optional<DocumentKind> kind_of_mime_type(std::string_view type) {
    const auto found =
        std::ranges::find(kMimeTypes, type, &std::pair<std::string_view, DocumentKind>::first);
    if (found != kMimeTypes.end()) {
        return found->second;
    }
    if (type.ends_with("properties")) {
        return properties;
    }
    return type.starts_with("text/") ? std::optional(plain) : std::nullopt;
}

}  // namespace

Result<DocumentKind> find_document_kind(std::string_view extension, std::string_view mime_type) {
    if (!extension.empty()) {
        auto bare = to_lower_ascii(extension);
        bare.erase(0, bare.starts_with('.') ? 1 : 0);
        if (std::ranges::find(kPlainExtensions, bare) != kPlainExtensions.end()) {
            return plain;
        }
        const auto found =
            std::ranges::find(kExtensions, bare, &std::pair<std::string_view, DocumentKind>::first);
        if (found != kExtensions.end()) {
            return found->second;
        }
        return failure(
            ErrorCode::unsupported,
            fmt::format("Unsupported Extension Type: {}", to_valid_utf8(extension))
        );
    }
    if (mime_type.empty()) {
        return failure(
            ErrorCode::invalid_input,
            "Unable to determine file type: MIME type or file extension is missing"
        );
    }
    const auto type = to_lower_ascii(value::without_parameters(mime_type));
    if (const auto kind = kind_of_mime_type(type)) {
        return *kind;
    }
    return failure(
        ErrorCode::unsupported, fmt::format("Unsupported MIME type: {}", to_valid_utf8(mime_type))
    );
}

}  // namespace flowspan::nodes::document_extractor
