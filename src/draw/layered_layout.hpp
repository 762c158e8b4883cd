#pragma once
// Places boxes in layers from left to right and finds the ways of the arrows between them.

#include <cstddef>
#include <vector>

namespace flowspan::draw {

struct Point {
    double x = 0;
    double y = 0;
};

/// Lengths are pixels, y grows downwards.
struct LayoutBox {
    double width = 0;
    double height = 0;
    /// Where arrows leave at the right side, below the top; they arrive at half the height.
    std::vector<double> ports;
    double label_room = 0;  ///< right of the box, kept free of bends for its ports' labels
};

struct LayoutArrow {
    std::size_t source = 0;
    std::size_t port = 0;
    std::size_t target = 0;
};

struct Layout {
    double width = 0;
    double height = 0;
    std::vector<Point> boxes;  ///< left upper corners
    /// By arrow: straight from the first point to the second, bent to the third, straight to the
    /// fourth, and so on; the last piece is bent. An even number of points and one more.
    std::vector<std::vector<Point>> ways;
};

/// `order` names every box once, sources before targets; every arrow must go along it.
[[nodiscard]] Layout lay_out(
    const std::vector<LayoutBox>& boxes,
    const std::vector<LayoutArrow>& arrows,
    const std::vector<std::size_t>& order
);

}  // namespace flowspan::draw
