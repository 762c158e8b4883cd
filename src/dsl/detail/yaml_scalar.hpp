#pragma once
// What a plain YAML scalar means by the rules of YAML 1.1, as app files are written.

#include "flowspan/base/json.hpp"

#include <string_view>

namespace flowspan::dsl::detail {

/// Null, a boolean (`yes`, `off`), an integer (`012` is octal, `0x1F`, `1_000`, `12:30` is base
/// 60), a float (which needs a dot, and a sign in its exponent) or else text; dates stay text. An
/// integer outside 64 bits becomes a float.
[[nodiscard]] json::value resolve_plain_scalar(std::string_view text);

}  // namespace flowspan::dsl::detail
