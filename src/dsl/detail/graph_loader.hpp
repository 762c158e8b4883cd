#pragma once
// `workflow.graph` to a Graph: nodes, edges, container starts, and the checks on their whole.

#include "dsl/app.hpp"
#include "dsl/detail/findings.hpp"

namespace flowspan::dsl::detail {

/// Real graphs have about a hundred nodes at most; these keep every check fast on hostile ones.
inline constexpr std::size_t kNodesMax = 10'000;
inline constexpr std::size_t kEdgesMax = 50'000;

/// Takes the nodes' data out of `workflow`, the mapping at `/workflow` of the file.
[[nodiscard]] Graph load_graph(json::value& workflow, Findings& findings);

}  // namespace flowspan::dsl::detail
