#pragma once
// The fields every node may have: title, error strategy, default values and retries.

#include "dsl/app.hpp"

#include <vector>

namespace flowspan::dsl::detail {

/// Checks the common fields. Replaces the values of `default_value` by what their text stands for
/// (`"5"` of type `number` becomes 5.0), so that nobody parses them again. The first error becomes
/// the node's `fault`.
void check_common_fields(NodeSpec& spec, std::vector<Problem>& problems);

}  // namespace flowspan::dsl::detail
