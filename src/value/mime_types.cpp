#include "flowspan/value/mime_types.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace flowspan::value {

namespace {

// Where several extensions share a type, the usual one stands first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 62> kTypes = {{
    {".txt", "text/plain"},
    {".log", "text/plain"},
    {".html", "text/html"},
    {".htm", "text/html"},
    {".css", "text/css"},
    {".csv", "text/csv"},
    {".md", "text/markdown"},
    {".markdown", "text/markdown"},
    {".mdx", "text/markdown"},
    {".vtt", "text/vtt"},
    {".ics", "text/calendar"},
    {".py", "text/x-python"},
    {".js", "text/javascript"},
    {".xml", "application/xml"},
    {".json", "application/json"},
    {".yaml", "application/yaml"},
    {".yml", "application/yaml"},
    {".toml", "application/toml"},
    {".properties", "text/x-java-properties"},
    {".pdf", "application/pdf"},
    {".doc", "application/msword"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".xls", "application/vnd.ms-excel"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".ppt", "application/vnd.ms-powerpoint"},
    {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {".odt", "application/vnd.oasis.opendocument.text"},
    {".epub", "application/epub+zip"},
    {".rtf", "application/rtf"},
    {".eml", "message/rfc822"},
    {".msg", "application/vnd.ms-outlook"},
    {".zip", "application/zip"},
    {".gz", "application/gzip"},
    {".tar", "application/x-tar"},
    {".7z", "application/x-7z-compressed"},
    {".wasm", "application/wasm"},
    {".bin", "application/octet-stream"},
    {".exe", "application/octet-stream"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".png", "image/png"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".svg", "image/svg+xml"},
    {".bmp", "image/bmp"},
    {".ico", "image/vnd.microsoft.icon"},
    {".tiff", "image/tiff"},
    {".tif", "image/tiff"},
    {".avif", "image/avif"},
    {".heic", "image/heic"},
    {".mp3", "audio/mpeg"},
    {".mpga", "audio/mpeg"},
    {".m4a", "audio/mp4"},
    {".wav", "audio/wav"},
    {".amr", "audio/amr"},
    {".ogg", "audio/ogg"},
    {".flac", "audio/flac"},
    {".mp4", "video/mp4"},
    {".mov", "video/quicktime"},
    {".mpeg", "video/mpeg"},
    {".webm", "video/webm"},
    {".avi", "video/x-msvideo"},
}};

}  // namespace

std::string_view mime_type_of_extension(std::string_view extension) noexcept {
    if (extension.starts_with('.')) {
        extension.remove_prefix(1);
    }
    const auto found = std::ranges::find_if(kTypes, [extension](const auto& entry) {
        return equals_ignore_case(entry.first.substr(1), extension);
    });
    return found == kTypes.end() ? std::string_view() : found->second;
}

std::string_view extension_of_mime_type(std::string_view mime_type) noexcept {
    const auto bare = without_parameters(mime_type);
    const auto found = std::ranges::find_if(kTypes, [bare](const auto& entry) {
        return equals_ignore_case(entry.second, bare);
    });
    return found == kTypes.end() ? std::string_view() : found->first;
}

std::string_view extension_of_name(std::string_view name) noexcept {
    name = name.substr(0, name.find_first_of("?#"));
    const auto slash = name.find_last_of("/\\");
    if (slash != std::string_view::npos) {
        name.remove_prefix(slash + 1);
    }
    const auto dot = name.rfind('.');
    const bool has_extension = dot != std::string_view::npos && dot > 0 && dot + 1 < name.size();
    return has_extension ? name.substr(dot) : std::string_view();
}

std::string_view without_parameters(std::string_view content_type) noexcept {
    return trim(content_type.substr(0, content_type.find(';')));
}

}  // namespace flowspan::value
