#pragma once
// Cycles of a directed graph given by indexes.

#include <cstddef>
#include <vector>

namespace flowspan::dsl::detail {

/// For each knot of nodes that all lead to each other, one short cycle through its smallest node,
/// starting there; in order of those nodes. `targets[i]` lists where node i leads.
[[nodiscard]] std::vector<std::vector<std::size_t>> find_cycles(
    const std::vector<std::vector<std::size_t>>& targets
);

}  // namespace flowspan::dsl::detail
