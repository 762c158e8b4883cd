#pragma once
// Environment and conversation variables of a workflow.

#include "dsl/app.hpp"
#include "dsl/detail/findings.hpp"

#include <string_view>
#include <vector>

namespace flowspan::dsl::detail {

/// Longer text is refused, as where the original keeps its variables.
inline constexpr std::size_t kVariableSizeMax = 204'800;

/// Reads the list at `/workflow/<key>`; absent or null is an empty list.
[[nodiscard]] std::vector<VariableSpec> load_variables(
    const json::value& workflow, std::string_view key, Findings& findings
);

}  // namespace flowspan::dsl::detail
