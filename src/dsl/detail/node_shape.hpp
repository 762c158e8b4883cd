#pragma once
// Old shapes of node data to the present one, kind by kind.

#include "dsl/app.hpp"

#include <string>
#include <string_view>

namespace flowspan::dsl::detail {

/// The format's own spelling of a node type that was written by hand (`LLM`, `if_else`); any other
/// text as it is.
[[nodiscard]] std::string spell_type(std::string_view type);

/// Rewrites what files of older versions say differently. Data of a shape that is wrong in any
/// version is left for the node kind to report.
void normalise_node(NodeSpec& spec);

}  // namespace flowspan::dsl::detail
