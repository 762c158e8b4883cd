#pragma once
// The state of one pass through the graph: of the whole run, or of one round of a container.

#include "engine/graph.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/engine/event.hpp"
#include "flowspan/engine/run_snapshot.hpp"

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

    /// Sets a decision that an earlier process has made.
    void restore_node(NodeIndex node, Decision decision) { nodes_[node] = decision; }

    void restore_edge(EdgeIndex edge, Decision decision) { edges_[edge] = decision; }

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

struct Frame;

/// A node of a frame from the beginning of its task until its result is known, so that a snapshot
/// knows what is at work.
class ActiveNode {
public:
    /// `from` is what the execution goes on from, or null. All must outlive this object.
    ActiveNode(Frame& frame, NodeIndex index, const NodeRun& run, const PendingNode* from);
    ~ActiveNode();
    ActiveNode(const ActiveNode&) = delete;
    ActiveNode& operator=(const ActiveNode&) = delete;

    /// Its result is known: nothing of it has to run again.
    void leave();

    /// The round that was under way when the run was interrupted; null if there was none.
    [[nodiscard]] const FrameSnapshot* take_round(std::int64_t round);

    [[nodiscard]] NodeIndex index() const noexcept { return index_; }

    [[nodiscard]] const NodeRun& run() const noexcept { return run_; }

    [[nodiscard]] const PendingNode* from() const noexcept { return from_; }

    [[nodiscard]] const ActiveNode* next() const noexcept { return next_; }

    /// Rounds to go on with that the container has not asked for yet.
    [[nodiscard]] const std::vector<const FrameSnapshot*>& waiting_rounds() const noexcept {
        return waiting_rounds_;
    }

    const StateKeeper* keeper = nullptr;
    std::vector<const Frame*> rounds;  ///< containers: those at work

private:
    Frame* frame_;
    NodeIndex index_;
    const NodeRun& run_;
    const PendingNode* from_;
    std::vector<const FrameSnapshot*> waiting_rounds_;
    ActiveNode* previous_ = nullptr;
    ActiveNode* next_ = nullptr;
};

/// A node whose task has not begun yet.
struct QueuedNode {
    NodeIndex index = kNoNode;
    const PendingNode* from = nullptr;
};

struct Frame {
    Frame(const Graph& graph, const async::TaskExecutor& executor)
        : states(graph), tasks(executor) {}

    /// Removes the node from the queue and tells what it goes on from.
    [[nodiscard]] const PendingNode* dequeue(NodeIndex node);

    EdgeStates states;
    value::VariablePool own_variables;
    value::VariablePool* variables = nullptr;  ///< own_variables, or the parent's for a loop
    ContainerPosition position;
    std::int64_t index = 0;  ///< the container's round
    json::object outputs;
    std::optional<Error> error;  ///< the first unhandled failure
    bool has_reached_loop_end = false;
    ModelFacts usage;
    std::vector<QueuedNode> queued;
    ActiveNode* first_active = nullptr;
    std::vector<PendingNode> deferred;  ///< due, but held back because the run is to pause
    async::TaskGroup tasks;
};

}  // namespace flowspan::engine
