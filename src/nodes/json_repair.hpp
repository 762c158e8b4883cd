#pragma once
// Reading JSON as models and people write it: fenced, single-quoted, cut off, with comments.

#include "flowspan/base/json.hpp"

#include <string_view>

namespace flowspan::nodes {

/// What could be read of `text` as JSON. Never fails: valid JSON is read as it is; otherwise the
/// first object or list is taken and what is missing in it is filled in (quotes, commas, closing
/// brackets, values); a text without any gives the empty string. Nesting beyond kJsonDepthMax is
/// cut off.
[[nodiscard]] json::value repair_json(std::string_view text);

/// The first balanced `{...}` in `text` that is a JSON object; null if there is none.
[[nodiscard]] json::value find_json_object(std::string_view text);

}  // namespace flowspan::nodes
