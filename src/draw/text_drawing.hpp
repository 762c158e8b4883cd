#pragma once
// A diagram as text: a node a line, with the arrows as lanes at its left, as version control
// programs draw their history.

#include "draw/diagram.hpp"

#include <cstddef>
#include <string>

namespace flowspan::draw {

struct TextOptions {
    std::size_t width = 0;  ///< columns a line may have; 0 for as many as it needs
    bool has_unicode = true;
    bool has_color = false;
};

/// Lines end with a line feed. Where arrows need more lanes than a screen has columns, those beyond
/// are named at the node they leave.
[[nodiscard]] std::string draw_text(const Diagram& diagram, const TextOptions& options);

}  // namespace flowspan::draw
