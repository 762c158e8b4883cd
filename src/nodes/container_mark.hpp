#pragma once
// Where the children of a container begin, or where one of them ends it.

#include "nodes/node_kind.hpp"

#include <memory>

namespace flowspan::nodes {

/// Makes a node that does nothing: the engine knows its type. Takes no settings.
[[nodiscard]] std::unique_ptr<engine::Node> build_container_mark(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
);

}  // namespace flowspan::nodes
