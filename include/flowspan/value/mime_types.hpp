#pragma once
// Which MIME type goes with which file extension, for files that say only one of them.

#include <string_view>

namespace flowspan::value {

/// The type for an extension with or without dot, any case; empty if unknown.
[[nodiscard]] std::string_view mime_type_of_extension(std::string_view extension) noexcept;

/// The usual extension of a type (parameters ignored), with dot; empty if unknown.
[[nodiscard]] std::string_view extension_of_mime_type(std::string_view mime_type) noexcept;

/// The extension of a file name or of a URL's path, with dot; empty if it has none.
[[nodiscard]] std::string_view extension_of_name(std::string_view name) noexcept;

/// `text/html` of `Text/HTML; charset=utf-8`, not lower-cased.
[[nodiscard]] std::string_view without_parameters(std::string_view content_type) noexcept;

}  // namespace flowspan::value
