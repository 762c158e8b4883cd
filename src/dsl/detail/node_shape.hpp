#pragma once
// Old shapes of node data to the present one, kind by kind.

#include "dsl/app.hpp"

namespace flowspan::dsl::detail {

/// Rewrites what files of older versions say differently. Data of a shape that is wrong in any
/// version is left for the node kind to report.
void normalise_node(NodeSpec& spec);

}  // namespace flowspan::dsl::detail
