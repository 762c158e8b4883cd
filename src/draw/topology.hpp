#pragma once
// Orders a diagram's boxes for drawing. A drawing goes one way, so arrows that lead back are told
// apart first.

#include "draw/diagram.hpp"

#include <cstddef>
#include <vector>

namespace flowspan::draw {

struct Topology {
    std::vector<std::vector<std::size_t>> outgoing;   ///< by box: arrows, none that leads back
    std::vector<std::vector<std::size_t>> incoming;   ///< likewise
    std::vector<std::vector<std::size_t>> returning;  ///< arrows to where their way came from
    /// Sources before targets, and each branch as far as it goes before the next one begins.
    std::vector<std::size_t> order;
};

[[nodiscard]] Topology find_topology(const Diagram& diagram);

}  // namespace flowspan::draw
