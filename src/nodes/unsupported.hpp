#pragma once
// What stands in for a node that this program cannot run.

#include "nodes/node_kind.hpp"

#include <memory>
#include <string_view>

namespace flowspan::nodes {

/// Known to the app format but not runnable here: how it connects, and what a user can do instead.
struct UnsupportedKind {
    std::string_view type;
    engine::NodeTraits traits;
    std::string_view advice;
};

/// Null for a type that the app format does not know either.
[[nodiscard]] const UnsupportedKind* find_unsupported_kind(std::string_view type) noexcept;

/// A node that fails with `UnsupportedNodeError` when it is reached; adds an `unsupported` problem.
[[nodiscard]] std::unique_ptr<engine::Node> build_unsupported(
    const dsl::NodeSpec& spec, Problems& problems
);

}  // namespace flowspan::nodes
