#pragma once
// YAML as JSON, for documents that people write.

#include "flowspan/base/json.hpp"

#include <string_view>

namespace flowspan::tools {

/// Keys become text. Errors (`invalid_input`) name line and column.
[[nodiscard]] Result<json::value> parse_yaml(std::string_view text);

}  // namespace flowspan::tools
