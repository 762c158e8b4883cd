#pragma once
// Cutting the JSON part out of a model's prose.

#include <optional>
#include <string_view>

namespace flowspan::nodes {

/// What stands between the first opening mark (a code fence, else back ticks, else a bracket) and
/// the last closing mark after it; brackets are part of it, fences are not. Empty if there is none.
[[nodiscard]] std::optional<std::string_view> find_json_block(std::string_view text) noexcept;

}  // namespace flowspan::nodes
