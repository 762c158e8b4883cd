#pragma once
// What a drawing shows: an app's graph as boxes and arrows, an inner diagram for each container.

#include "dsl/app.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::draw {

enum class BoxShape : std::uint8_t { plain, start, branch, container, response };

/// Where arrows leave a box. Those of branches have a label: the case, the class, the outcome.
struct Port {
    std::string handle;
    std::string label;

    bool operator==(const Port&) const = default;
};

struct Arrow {
    std::size_t source = 0;  ///< index of a box
    std::size_t port = 0;    ///< index of a port of the source
    std::size_t target = 0;  ///< index of a box

    bool operator==(const Arrow&) const = default;
};

struct Diagram;

struct Box {
    std::string id;
    std::string title;
    std::string kind;    ///< wire name, for example `if-else`
    std::string detail;  ///< the model, the tool, method and host, ...; may be empty
    BoxShape shape = BoxShape::plain;
    bool is_unsupported = false;  ///< fails when it is reached
    bool is_unreached = false;    ///< no way leads to it from the start
    std::vector<Port> ports;
    std::vector<Diagram> inner;  ///< one for a container, else none
};

/// Boxes of one level. Arrows join boxes of the same level.
struct Diagram {
    std::vector<Box> boxes;  ///< the start first, then as in the file
    std::vector<Arrow> arrows;
};

/// `unsupported` has the ids of the nodes that cannot run. All texts are single lines without
/// control characters.
[[nodiscard]] Diagram make_diagram(
    const dsl::Graph& graph, const std::set<std::string, std::less<>>& unsupported
);

}  // namespace flowspan::draw
