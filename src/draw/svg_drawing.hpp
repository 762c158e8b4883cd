#pragma once
// A diagram as an SVG document that reads well on light and on dark pages.

#include "draw/diagram.hpp"

#include <string>
#include <string_view>

namespace flowspan::draw {

/// A whole document, from left to right, without scripts, fonts or anything else from outside.
/// `name` becomes its title.
[[nodiscard]] std::string draw_svg(const Diagram& diagram, std::string_view name);

}  // namespace flowspan::draw
