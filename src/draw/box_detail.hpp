#pragma once
// What the data of a node says that a person wants to see in a drawing.

#include "draw/diagram.hpp"

#include <string>
#include <vector>

namespace flowspan::draw {

/// The line below the title: the model of an llm, the tool, method and host of a request, ...
[[nodiscard]] std::string detail_of(const dsl::NodeSpec& spec);

/// The ports that the node's data names, in their order: cases, classes, actions, and what a
/// fail branch adds. A node without such has one port with the handle `source` and no label.
[[nodiscard]] std::vector<Port> ports_of(const dsl::NodeSpec& spec);

}  // namespace flowspan::draw
