#pragma once
// Text from outside as UTF-8: by its declared charset, or by what its bytes look like.

#include <string>
#include <string_view>

namespace flowspan::nodes {

/// What to do with bytes that mean nothing in their charset.
enum class BadBytes { replace, drop };

/// `charset` may be empty or unknown; then a byte order mark, valid UTF-8, and the look of the
/// bytes (Chinese and Japanese encodings, else Windows-1252) decide.
[[nodiscard]] std::string decode_text(
    std::string_view bytes, std::string_view charset, BadBytes bad_bytes
);

/// The `charset` of a content type, lower case; empty if it has none.
[[nodiscard]] std::string charset_of(std::string_view content_type);

}  // namespace flowspan::nodes
