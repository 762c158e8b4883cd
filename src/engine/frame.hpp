#pragma once
// The state of one pass through the graph: of the whole run, or of one round of a container.

#include "engine/graph.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/engine/event.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace flowspan::engine {

enum class Decision : std::uint8_t { unknown, taken, skipped };

/// Decides edges and finds out which nodes become ready. Pure state, no I/O.
class EdgeStates {
public:
    explicit EdgeStates(const Graph& graph);

    /// What one completed node changed, in the order in which it is announced.
    struct Changes {
        struct EdgeChange {
            EdgeIndex edge;
            bool is_taken;
        };

        std::vector<EdgeChange> edges;  ///< skips first (depth first), then takes
        std::vector<NodeIndex> ready;
    };

    void mark_ready(NodeIndex node) { nodes_[node] = Decision::taken; }

    /// `handle` empty: all outgoing edges are taken; otherwise those with that handle.
    [[nodiscard]] Changes complete(NodeIndex node, const std::string* handle);

    /// Marks a root that is not used by this run and everything only it leads to as skipped.
    [[nodiscard]] Changes skip_root(NodeIndex node);

    [[nodiscard]] Decision node(NodeIndex index) const { return nodes_[index]; }

    [[nodiscard]] Decision edge(EdgeIndex index) const { return edges_[index]; }

private:
    void take(EdgeIndex edge, Changes& changes);
    void skip(EdgeIndex edge, Changes& changes);
    void make_ready(NodeIndex node, Changes& changes);

    const Graph& graph_;
    std::vector<Decision> nodes_;
    std::vector<Decision> edges_;
};

struct Frame {
    Frame(const Graph& graph, const async::TaskExecutor& executor)
        : states(graph), tasks(executor) {}

    EdgeStates states;
    value::VariablePool own_variables;
    value::VariablePool* variables = nullptr;  ///< own_variables, or the parent's for a loop
    ContainerPosition position;
    json::object outputs;
    std::optional<Error> error;  ///< the first unhandled failure
    bool has_reached_loop_end = false;
    ModelFacts usage;
    async::TaskGroup tasks;
};

}  // namespace flowspan::engine
