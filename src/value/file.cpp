#include "flowspan/value/file.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>

namespace flowspan::value {

namespace {

// How records spell the id of their stored content, newest first.
constexpr std::array<std::string_view, 5> kReferenceKeys = {
    "related_id", "reference", "upload_file_id", "tool_file_id", "datasource_file_id"
};

constexpr std::array<std::string_view, 6> kImageExtensions = {
    "jpg", "jpeg", "png", "webp", "gif", "svg"
};
constexpr std::array<std::string_view, 4> kVideoExtensions = {"mp4", "mov", "mpeg", "webm"};
constexpr std::array<std::string_view, 5> kAudioExtensions = {"mp3", "m4a", "wav", "amr", "mpga"};
constexpr std::array<std::string_view, 21> kDocumentExtensions = {
    "txt", "markdown", "md",  "mdx", "pdf", "html", "htm",  "xlsx", "xls",  "vtt", "properties",
    "doc", "docx",     "csv", "eml", "msg", "ppt",  "pptx", "xml",  "epub", "odt",
};

constexpr std::array<std::string_view, 11> kDocumentMimeTypes = {
    "text/",
    "message/rfc822",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.ms-outlook",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument",
    "application/epub+zip",
    "application/wps-office",
};

template <class List>
bool lists(const List& extensions, std::string_view extension) noexcept {
    return std::ranges::any_of(extensions, [extension](std::string_view known) {
        return equals_ignore_case(known, extension);
    });
}

json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value() : json::value(text);
}

json::value member_or_null(const json::value& record, std::string_view key) {
    const auto* member = find_member(record, key);
    return member == nullptr ? json::value() : *member;
}

json::value related_id(const json::value& record) {
    for (const auto key : kReferenceKeys) {
        if (const auto id = string_member(record, key); !id.empty()) {
            return json::value(id);
        }
    }
    return {};
}

}  // namespace

std::string_view file_url(const json::value& record) noexcept {
    const auto url = string_member(record, "url");
    return url.empty() ? string_member(record, "remote_url") : url;
}

std::optional<json::value> file_attribute(const json::value& record, std::string_view attribute) {
    if (attribute == "name") {
        return member_or_null(record, "filename");
    }
    if (attribute == "url") {
        return text_or_null(file_url(record));
    }
    if (attribute == "related_id") {
        return related_id(record);
    }
    if (attribute == "size") {
        auto size = member_or_null(record, "size");
        return size.is_null() ? json::value(-1) : size;
    }
    if (attribute == "type" || attribute == "mime_type" || attribute == "transfer_method" ||
        attribute == "extension") {
        return member_or_null(record, attribute);
    }
    return std::nullopt;
}

std::string_view detect_file_type(std::string_view extension, std::string_view mime_type) noexcept {
    if (extension.starts_with('.')) {
        extension.remove_prefix(1);
    }
    if (lists(kImageExtensions, extension)) {
        return "image";
    }
    if (lists(kVideoExtensions, extension)) {
        return "video";
    }
    if (lists(kAudioExtensions, extension)) {
        return "audio";
    }
    if (lists(kDocumentExtensions, extension)) {
        return "document";
    }
    for (const std::string_view kind : {"image", "video", "audio"}) {
        if (mime_type.starts_with(kind) && mime_type.substr(kind.size()).starts_with('/')) {
            return kind;
        }
    }
    const bool is_document = std::ranges::any_of(kDocumentMimeTypes, [&](std::string_view known) {
        return mime_type.starts_with(known);
    });
    return is_document ? "document" : "custom";
}

}  // namespace flowspan::value
