#pragma once
// The text of a file before it is parsed: encoding, size, and the wrapping of the export API.

#include "dsl/app.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::dsl::detail {

/// Without a byte order mark.
[[nodiscard]] std::string_view without_bom(std::string_view text) noexcept;

/// What makes the text unreadable: its size, invalid UTF-8 or a control character; empty if
/// nothing.
[[nodiscard]] std::optional<Problem> find_unreadable(std::string_view text);

/// What a text that starts with `{` is, if it is JSON: the YAML inside `{"data": "<yaml>"}`, the
/// answer of the export API, or the document itself.
struct JsonSource {
    std::optional<std::string> wrapped;
    json::value document;
};

[[nodiscard]] std::optional<JsonSource> parse_json_source(std::string_view text);

/// An id in the form of a UUID that depends on nothing but the text.
[[nodiscard]] std::string make_content_id(std::string_view text);

}  // namespace flowspan::dsl::detail
