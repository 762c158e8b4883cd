#pragma once
// What a graph must be as a whole: containers with a start, edges between nodes, no cycle, a root.

#include "dsl/app.hpp"
#include "dsl/detail/findings.hpp"

#include <string_view>

namespace flowspan::dsl::detail {

/// True for the types a run can start with: `start`, `datasource` and the triggers.
[[nodiscard]] bool is_entry_type(std::string_view type) noexcept;

/// True for an iteration or a loop.
[[nodiscard]] bool is_container(const NodeSpec& node) noexcept;

/// Reports whatever is wrong with the whole; gives containers of old files their start node; sets
/// `root_id`.
void check_graph(Graph& graph, Findings& findings);

}  // namespace flowspan::dsl::detail
