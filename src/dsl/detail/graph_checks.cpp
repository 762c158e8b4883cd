#include "dsl/detail/graph_checks.hpp"

#include "dsl/detail/cycles.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace flowspan::dsl::detail {

namespace {

constexpr std::array<std::string_view, 5> kEntryTypes = {
    "start", "datasource", "trigger-webhook", "trigger-schedule", "trigger-plugin"
};

// Levels of containers inside each other. Each multiplies what a run does; nobody needs so many.
constexpr std::size_t kNestingMax = 10;

// More of a cycle than this is not worth reading.
constexpr std::size_t kNamesMax = 12;

bool is_container_start(const NodeSpec& node) noexcept {
    return node.type == "iteration-start" || node.type == "loop-start";
}

class GraphChecker {
public:
    GraphChecker(Graph& graph, Findings& findings) : graph_(graph), findings_(findings) {
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            indexes_.emplace(graph.nodes[i].id, i);
            children_[graph.nodes[i].parent_id].push_back(i);
        }
        for (const auto& edge : graph.edges) {
            led_to_.insert(edge.target);
        }
    }

    void run() {
        check_parents();
        check_edges();
        // Inserted starts are added behind, so the loop must not see them.
        const auto count = graph_.nodes.size();
        for (std::size_t i = 0; i < count; ++i) {
            if (is_container(graph_.nodes[i])) {
                complete_container(i);
            }
        }
        check_cycles();
        choose_root();
    }

private:
    const NodeSpec* find(std::string_view id) const {
        const auto found = indexes_.find(std::string(id));
        return found == indexes_.end() ? nullptr : &graph_.nodes[found->second];
    }

    void check_parents() {
        for (auto& node : graph_.nodes) {
            if (node.parent_id.empty()) {
                continue;
            }
            const auto* parent = find(node.parent_id);
            if (parent != nullptr && is_container(*parent)) {
                set_container_id(node, *parent);
            } else {
                release(node, parent);
            }
        }
        check_nesting();
    }

    // Nodes that were copied out of a container keep its id; only the edges count for them.
    void release(NodeSpec& node, const NodeSpec* parent) {
        if (parent == nullptr) {
            findings_.warning_at(
                node.position,
                "graph.unknown_container",
                fmt::format(
                    "node {} belongs to `{}`, which is not in the graph, so it counts as a node "
                    "outside of any container; remove `iteration_id` and `loop_id` from its data",
                    node.name(),
                    node.parent_id
                )
            );
        } else {
            findings_.warning_at(
                node.position,
                "graph.invalid_container",
                fmt::format(
                    "node {} belongs to node {}, which is of type `{}`; only an iteration or a "
                    "loop holds other nodes, so it counts as a node outside of any",
                    node.name(),
                    parent->name(),
                    parent->type
                )
            );
        }
        node.parent_id.clear();
    }

    // So that everyone may rely on the data, however the file said it.
    static void set_container_id(NodeSpec& node, const NodeSpec& parent) {
        const auto* key = parent.type == "loop" ? "loop_id" : "iteration_id";
        node.data.get_object()[key] = parent.id;
    }

    // A container that lies inside itself has no top.
    void check_nesting() {
        std::vector<std::vector<std::size_t>> parents(graph_.nodes.size());
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            const auto found = indexes_.find(graph_.nodes[i].parent_id);
            if (found != indexes_.end()) {
                parents[i].push_back(found->second);
            }
        }
        for (const auto& cycle : find_cycles(parents)) {
            for (const auto index : cycle) {
                findings_.fault(
                    graph_.nodes[index],
                    "graph.nested_in_itself",
                    fmt::format(
                        "containers lie inside each other: {}; take one of them out", names(cycle)
                    )
                );
            }
            graph_.nodes[cycle.front()].parent_id.clear();
        }
        for (auto& node : graph_.nodes) {
            if (is_container(node) && count_ancestors(node) >= kNestingMax) {
                findings_.fault(
                    node,
                    "graph.nested_too_deep",
                    fmt::format(
                        "{} {} lies inside {} other containers; at most {} levels are allowed",
                        node.type,
                        node.name(),
                        count_ancestors(node),
                        kNestingMax
                    )
                );
            }
        }
    }

    // There is no cycle of parents any more.
    std::size_t count_ancestors(const NodeSpec& node) const {
        std::size_t count = 0;
        for (const auto* at = find(node.parent_id); at != nullptr; at = find(at->parent_id)) {
            ++count;
        }
        return count;
    }

    void check_edges() {
        for (const auto& edge : graph_.edges) {
            const auto* source = find(edge.source);
            const auto* target = find(edge.target);
            if (source != nullptr && target != nullptr) {
                continue;
            }
            const auto name = [](const NodeSpec* node, const std::string& id) {
                return node == nullptr ? fmt::format("`{}` (not in the graph)", id) : node->name();
            };
            findings_.error_at(
                edge.position,
                "graph.edge_unknown_node",
                fmt::format(
                    "an edge leads from {} to {}; remove the edge or add the node",
                    name(source, edge.source),
                    name(target, edge.target)
                )
            );
        }
    }

    // The child that a container without a start node begins with: the marked one, else the first
    // that no sibling leads to. -1 if there is none.
    std::ptrdiff_t find_first_child(const NodeSpec& container) const {
        std::ptrdiff_t first = -1;
        const auto children = children_.find(container.id);
        if (children == children_.end()) {
            return first;
        }
        for (const auto index : children->second) {
            const auto& node = graph_.nodes[index];
            const auto* mark = find_member(node.data, "isIterationStart");
            const bool is_marked = mark != nullptr && mark->is_bool() && mark->get_bool();
            if (is_container_start(node) || is_marked) {
                return static_cast<std::ptrdiff_t>(index);
            }
            if (first < 0 && !led_to_.contains(node.id)) {
                first = static_cast<std::ptrdiff_t>(index);
            }
        }
        return first;
    }

    void complete_container(std::size_t index) {
        const auto named = string_member(graph_.nodes[index].data, "start_node_id");
        const auto found = indexes_.find(std::string(named));
        const bool is_child = found != indexes_.end() &&
                              graph_.nodes[found->second].parent_id == graph_.nodes[index].id;
        if (is_child && is_container_start(graph_.nodes[found->second])) {
            return;
        }
        const auto first = is_child ? static_cast<std::ptrdiff_t>(found->second)
                                    : find_first_child(graph_.nodes[index]);
        if (first < 0) {
            findings_.fault(
                graph_.nodes[index],
                "graph.empty_container",
                fmt::format(
                    "{} {} holds no nodes to run; put nodes into it (their `{}_id` is its id)",
                    graph_.nodes[index].type,
                    graph_.nodes[index].name(),
                    graph_.nodes[index].type
                )
            );
            return;
        }
        const auto first_index = static_cast<std::size_t>(first);
        const auto start_id = is_container_start(graph_.nodes[first_index])
                                  ? graph_.nodes[first_index].id
                                  : insert_start(index, first_index);
        graph_.nodes[index].data.get_object()["start_node_id"] = start_id;
    }

    std::string insert_start(std::size_t container_index, std::size_t first_index) {
        NodeSpec start;
        const auto& container = graph_.nodes[container_index];
        start.id = container.id + "start";
        while (indexes_.contains(start.id)) {
            start.id += '_';
        }
        start.type = container.type + "-start";
        start.parent_id = container.id;
        start.position = container.position;
        start.data = {
            {"type", start.type},
            {"title", ""},
            {container.type + "_id", container.id},
            {container.type == "loop" ? "isInLoop" : "isInIteration", true},
        };
        graph_.edges.push_back(
            {.id = fmt::format("edge_{}", graph_.edges.size()),
             .source = start.id,
             .target = graph_.nodes[first_index].id,
             .position = graph_.nodes[first_index].position}
        );
        auto id = start.id;
        indexes_.emplace(start.id, graph_.nodes.size());
        graph_.nodes.push_back(std::move(start));
        return id;
    }

    std::string names(const std::vector<std::size_t>& cycle) const {
        std::string text;
        for (std::size_t i = 0; i < cycle.size() && i < kNamesMax; ++i) {
            text += graph_.nodes[cycle[i]].name() + " \u2192 ";
        }
        return text + (cycle.size() > kNamesMax ? "\u2026 \u2192 " : "") +
               graph_.nodes[cycle.front()].name();
    }

    // Where each node leads by its edges.
    std::vector<std::vector<std::size_t>> find_targets() const {
        std::vector<std::vector<std::size_t>> targets(graph_.nodes.size());
        for (const auto& edge : graph_.edges) {
            const auto source = indexes_.find(edge.source);
            const auto target = indexes_.find(edge.target);
            if (source != indexes_.end() && target != indexes_.end()) {
                targets[source->second].push_back(target->second);
            }
        }
        return targets;
    }

    void check_cycles() {
        for (const auto& cycle : find_cycles(find_targets())) {
            report_cycle(cycle);
        }
        check_ways_back();
    }

    // A cycle inside a container is the container's fault: the rest of the app can do without it.
    void report_cycle(const std::vector<std::size_t>& cycle) {
        const auto& first = graph_.nodes[cycle.front()];
        const bool is_inside = std::ranges::all_of(cycle, [&](std::size_t index) {
            return graph_.nodes[index].parent_id == first.parent_id;
        });
        const auto container = is_inside ? indexes_.find(first.parent_id) : indexes_.end();
        const bool has_container = container != indexes_.end();
        auto message = fmt::format(
            "the edges form a cycle{}: {}; a run could never begin it, so remove one of these "
            "edges (to repeat steps, use a loop)",
            has_container ? " inside " + graph_.nodes[container->second].name() : "",
            names(cycle)
        );
        if (has_container) {
            findings_.fault(graph_.nodes[container->second], "graph.cycle", std::move(message));
        } else {
            findings_.error_at(first.position, "graph.cycle", std::move(message));
        }
    }

    // Edges by which what lies in a container leads back to the container, so that neither could
    // begin. They are left out, so that the container is reached and says what is wrong with it.
    void check_ways_back() {
        while (cut_ways_back()) {
        }
    }

    // True if an edge was left out, so that further cycles may have come to light.
    bool cut_ways_back() {
        auto targets = find_targets();
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            const auto parent = indexes_.find(graph_.nodes[i].parent_id);
            if (parent != indexes_.end()) {
                targets[parent->second].push_back(i);
            }
        }
        const auto count = graph_.edges.size();
        for (const auto& cycle : find_cycles(targets)) {
            for (std::size_t i = 0; i < cycle.size(); ++i) {
                cut_way_back(cycle, cycle[i], cycle[(i + 1) % cycle.size()]);
            }
        }
        return graph_.edges.size() < count;
    }

    void cut_way_back(
        const std::vector<std::size_t>& cycle, std::size_t source, std::size_t target
    ) {
        const auto container = indexes_.find(graph_.nodes[source].parent_id);
        if (container == indexes_.end() ||
            graph_.nodes[target].parent_id == graph_.nodes[source].parent_id ||
            graph_.nodes[target].parent_id == graph_.nodes[source].id) {
            return;
        }
        findings_.fault(
            graph_.nodes[container->second],
            "graph.cycle",
            fmt::format(
                "a cycle leads through {} {}: {}; remove the edge out of it (what follows a "
                "container is joined to the container itself)",
                graph_.nodes[container->second].type,
                graph_.nodes[container->second].name(),
                names(cycle)
            )
        );
        std::erase_if(graph_.edges, [&](const EdgeSpec& edge) {
            return edge.source == graph_.nodes[source].id && edge.target == graph_.nodes[target].id;
        });
    }

    void choose_root() {
        const auto root = std::ranges::find_if(graph_.nodes, [](const NodeSpec& node) {
            return node.parent_id.empty() && is_entry_type(node.type);
        });
        if (root != graph_.nodes.end()) {
            graph_.root_id = root->id;
        } else if (graph_.nodes.empty()) {
            findings_.error(
                "graph.empty",
                "/workflow/graph/nodes",
                "the app has no nodes; add at least a start node"
            );
        } else {
            findings_.error(
                "graph.no_root",
                "/workflow/graph/nodes",
                "no node can begin a run; add a node of type `start` (or a trigger)"
            );
        }
    }

    Graph& graph_;
    Findings& findings_;
    boost::unordered_flat_map<std::string, std::size_t> indexes_;
    boost::unordered_flat_map<std::string, std::vector<std::size_t>> children_;  // by container
    boost::unordered_flat_set<std::string> led_to_;  // targets of all edges
};

}  // namespace

bool is_entry_type(std::string_view type) noexcept {
    return std::ranges::find(kEntryTypes, type) != kEntryTypes.end();
}

bool is_container(const NodeSpec& node) noexcept {
    return node.type == "iteration" || node.type == "loop";
}

void check_graph(Graph& graph, Findings& findings) {
    GraphChecker(graph, findings).run();
}

}  // namespace flowspan::dsl::detail
