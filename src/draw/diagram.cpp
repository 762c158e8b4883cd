#include "draw/diagram.hpp"

#include "draw/box_detail.hpp"
#include "draw/label.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace flowspan::draw {

namespace {

// Deeper ones are drawn as boxes without what is in them.
constexpr std::size_t kNestingMax = 16;

BoxShape shape_of(const dsl::NodeSpec& spec) {
    using Known = std::pair<std::string_view, BoxShape>;
    constexpr std::array<Known, 15> kShapes = {{
        {"start", BoxShape::start},
        {"iteration-start", BoxShape::start},
        {"loop-start", BoxShape::start},
        {"trigger-webhook", BoxShape::start},
        {"trigger-schedule", BoxShape::start},
        {"trigger-plugin", BoxShape::start},
        {"datasource", BoxShape::start},
        {"if-else", BoxShape::branch},
        {"question-classifier", BoxShape::branch},
        {"human-input", BoxShape::branch},
        {"iteration", BoxShape::container},
        {"loop", BoxShape::container},
        {"end", BoxShape::response},
        {"answer", BoxShape::response},
        {"loop-end", BoxShape::response},
    }};
    const auto found = std::ranges::find(kShapes, spec.type, &Known::first);
    return found == kShapes.end() ? BoxShape::plain : found->second;
}

std::string title_of(const dsl::NodeSpec& spec) {
    auto title = to_single_line(spec.title);
    if (!title.empty()) {
        return title;
    }
    const bool is_hidden_start = spec.type == "iteration-start" || spec.type == "loop-start";
    return is_hidden_start ? "each round" : to_single_line(spec.id);
}

class DiagramMaker {
public:
    DiagramMaker(const dsl::Graph& graph, const std::set<std::string, std::less<>>& unsupported)
        : graph_(graph), unsupported_(unsupported), is_reached_(graph.nodes.size()) {
        for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
            index_of_.emplace(graph.nodes[node].id, node);
        }
        for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
            const auto& parent = graph.nodes[node].parent_id;
            children_[index_of_.contains(parent) ? parent : std::string_view()].push_back(node);
        }
        edges_by_level();
        find_reached();
    }

    Diagram make() { return make_level("", 0); }

private:
    using Edge = std::pair<std::size_t, std::size_t>;  // number of the edge, node that it leads to
    using Rank = std::pair<std::size_t, std::size_t>;  // port, number of the edge

    /// The nodes from the top level down to `node`; empty if they are in a circle.
    std::vector<std::size_t> way_to(std::size_t node) const {
        std::vector<std::size_t> way{node};
        while (true) {
            const auto parent = index_of_.find(graph_.nodes[way.back()].parent_id);
            if (parent == index_of_.end()) {
                std::ranges::reverse(way);
                return way;
            }
            if (way.size() > kNestingMax) {
                return {};
            }
            way.push_back(parent->second);
        }
    }

    /// An edge between levels is drawn where both ends are last seen side by side.
    void edges_by_level() {
        edges_.resize(graph_.nodes.size());
        for (std::size_t number = 0; number < graph_.edges.size(); ++number) {
            const auto source = index_of_.find(graph_.edges[number].source);
            const auto target = index_of_.find(graph_.edges[number].target);
            if (source == index_of_.end() || target == index_of_.end()) {
                continue;
            }
            const auto from = way_to(source->second);
            const auto to = way_to(target->second);
            std::size_t level = 0;
            while (level < from.size() && level < to.size() && from[level] == to[level]) {
                ++level;
            }
            if (level < from.size() && level < to.size()) {
                edges_[from[level]].emplace_back(number, to[level]);
            }
        }
    }

    void find_reached() {
        std::vector<std::size_t> ready;
        const auto reach = [&](std::size_t node) {
            if (!is_reached_[node]) {
                is_reached_[node] = true;
                ready.push_back(node);
            }
        };
        if (const auto root = index_of_.find(graph_.root_id); root != index_of_.end()) {
            reach(root->second);
        }
        while (!ready.empty()) {
            const auto node = ready.back();
            ready.pop_back();
            for (const auto& [number, target] : edges_[node]) {
                reach(target);
            }
            if (const auto inner = children_.find(graph_.nodes[node].id);
                inner != children_.end()) {
                for (const auto child : inner->second) {
                    if (shape_of(graph_.nodes[child]) == BoxShape::start) {
                        reach(child);
                    }
                }
            }
        }
    }

    Box make_box(std::size_t node, std::size_t depth) {
        const auto& spec = graph_.nodes[node];
        Box box;
        box.id = spec.id;
        box.title = title_of(spec);
        box.kind = to_single_line(spec.type);
        box.detail = detail_of(spec);
        box.shape = shape_of(spec);
        box.is_unsupported = unsupported_.contains(spec.id);
        box.is_unreached = !is_reached_[node];
        if (box.shape == BoxShape::container && depth < kNestingMax) {
            box.inner.push_back(make_level(spec.id, depth + 1));
        }
        return box;
    }

    /// Only ports that lead somewhere; a handle that the node's data does not name is added.
    void connect(
        Diagram& level,
        std::size_t source,
        std::size_t node,
        const boost::unordered_flat_map<std::size_t, std::size_t>& box_of
    ) const {
        const auto known = ports_of(graph_.nodes[node]);
        std::vector<std::pair<Rank, Arrow>> found;
        auto& ports = level.boxes[source].ports;
        boost::unordered_flat_map<std::string_view, std::size_t> port_of;
        for (const auto& port : known) {
            port_of.emplace(port.handle, port_of.size());
        }
        std::vector<Port> all = known;
        for (const auto& [number, target] : edges_[node]) {
            const auto& handle = graph_.edges[number].source_handle;
            const auto [entry, is_new] = port_of.emplace(handle, all.size());
            if (is_new) {
                all.push_back({handle, to_single_line(handle)});
            }
            found.emplace_back(Rank(entry->second, number), Arrow{source, 0, box_of.at(target)});
        }
        std::ranges::sort(found, {}, [](const auto& entry) { return entry.first; });
        std::size_t last = all.size();
        for (auto& [rank, arrow] : found) {
            if (rank.first != last) {
                last = rank.first;
                ports.push_back(all[last]);
            }
            arrow.port = ports.size() - 1;
            level.arrows.push_back(arrow);
        }
    }

    Diagram make_level(std::string_view parent, std::size_t depth) {
        Diagram level;
        auto nodes = children_[parent];
        std::ranges::sort(nodes, {}, [&](std::size_t node) {
            const auto& spec = graph_.nodes[node];
            const bool is_first =
                depth == 0 ? spec.id == graph_.root_id : shape_of(spec) == BoxShape::start;
            return std::pair(!is_first, node);
        });
        boost::unordered_flat_map<std::size_t, std::size_t> box_of;
        for (const auto node : nodes) {
            box_of.emplace(node, level.boxes.size());
            level.boxes.push_back(make_box(node, depth));
        }
        for (std::size_t box = 0; box < nodes.size(); ++box) {
            connect(level, box, nodes[box], box_of);
        }
        return level;
    }

    const dsl::Graph& graph_;
    const std::set<std::string, std::less<>>& unsupported_;
    std::vector<bool> is_reached_;  // by node
    // Keys are the nodes' own ids; the empty one is the top level.
    boost::unordered_flat_map<std::string_view, std::size_t> index_of_;
    boost::unordered_flat_map<std::string_view, std::vector<std::size_t>> children_;
    std::vector<std::vector<Edge>> edges_;  // by the node that they leave, on the level drawn
};

}  // namespace

Diagram make_diagram(
    const dsl::Graph& graph, const std::set<std::string, std::less<>>& unsupported
) {
    return DiagramMaker(graph, unsupported).make();
}

}  // namespace flowspan::draw
