#pragma once
// What an http-request node makes of a reply: text for the app, or a file.

#include "infra/http/http_types.hpp"
#include "nodes/file_store.hpp"

#include <string>
#include <string_view>

namespace flowspan::nodes::http_request {

/// By disposition and type, and for types that say little by the first bytes.
[[nodiscard]] bool is_file(const http::HttpResponse& response);

/// Decoded by the content type's charset, else by the look of the bytes.
[[nodiscard]] std::string read_text(const http::HttpResponse& response);

/// The body with a name and a type: from the disposition, the URL, or made up.
[[nodiscard]] FileContent to_file(http::HttpResponse response);

/// `12.00 bytes`, `1.50 KB`, `2.00 MB`.
[[nodiscard]] std::string readable_size(std::size_t size);

}  // namespace flowspan::nodes::http_request
