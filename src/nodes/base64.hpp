#pragma once
// Base64 as mail and HTTP use it (RFC 4648, section 4).

#include <string>
#include <string_view>

namespace flowspan::nodes {

/// With padding, without line breaks.
[[nodiscard]] std::string to_base64(std::string_view bytes);

}  // namespace flowspan::nodes
