#pragma once
// Percent-encoding as browsers and servers expect it.

#include <string>
#include <string_view>

namespace flowspan::nodes::http_request {

/// For keys and values of a query: everything but letters, digits and `-._~`.
[[nodiscard]] std::string encode_query(std::string_view text);

/// For `application/x-www-form-urlencoded`: the same, spaces as `+`.
[[nodiscard]] std::string encode_form(std::string_view text);

/// A URL as typed: spaces, control characters and non-ASCII are encoded, the rest stays.
[[nodiscard]] std::string encode_url(std::string_view url);

}  // namespace flowspan::nodes::http_request
