#pragma once
// The compiled graph of an app: nodes built, edges indexed; shared by all runs of the app.

#include "dsl/app.hpp"
#include "flowspan/engine/node.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::engine {

using NodeIndex = std::uint32_t;
using EdgeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = ~NodeIndex{0};
inline constexpr EdgeIndex kNoEdge = ~EdgeIndex{0};

/// Makes the nodes of a graph; implemented by the registry of node kinds.
class NodeFactory {
public:
    virtual ~NodeFactory() = default;

    /// Null if no kind of this type is registered.
    [[nodiscard]] virtual const NodeTraits* find_traits(std::string_view type) const = 0;

    /// Builds one node; null, with problems added, if its data is wrong. An unknown type gives a
    /// node that fails when it is reached.
    [[nodiscard]] virtual std::unique_ptr<Node> build(
        const dsl::NodeSpec& spec, std::vector<dsl::Problem>& problems
    ) const = 0;
};

enum class ErrorStrategy : std::uint8_t { none, default_value, fail_branch };

struct RetryPolicy {
    int retries_max = 0;
    std::chrono::milliseconds interval{0};
};

struct GraphNode {
    std::string id;
    std::string type;
    std::string title;
    std::string version;
    NodeTraits traits;
    std::unique_ptr<Node> node;
    ErrorStrategy error_strategy = ErrorStrategy::none;
    std::vector<NodeOutput> default_values;
    RetryPolicy retry;
    std::vector<EdgeIndex> incoming;
    std::vector<EdgeIndex> outgoing;
    NodeIndex container = kNoNode;    ///< the iteration or loop it belongs to
    NodeIndex first_child = kNoNode;  ///< containers: where a frame starts

    /// Chooses among its outgoing edges by handle.
    [[nodiscard]] bool is_branch() const noexcept {
        return traits.shape == NodeShape::branch || error_strategy == ErrorStrategy::fail_branch;
    }
};

struct GraphEdge {
    std::string id;
    NodeIndex source = kNoNode;
    NodeIndex target = kNoNode;
    std::string handle;
};

/// A piece of a response: literal text, or an output with the node that makes it.
struct ResponsePiece {
    value::TextTemplate::Segment segment;
    NodeIndex source = kNoNode;  ///< none for literals and reserved prefixes
};

/// What a top-level response node streams, and what may keep it from being reached.
struct Response {
    NodeIndex node = kNoNode;
    std::vector<ResponsePiece> pieces;
    /// By node: as long as an edge out of it is undecided, nobody knows whether it leads here, or
    /// with which values.
    std::vector<bool> is_blocked_by;
};

class Graph {
public:
    /// Builds every node, reachable or not; all problems are collected. A node whose data is wrong
    /// fails with the first of its problems when it is reached. Null if no node can begin a run.
    [[nodiscard]] static std::shared_ptr<const Graph> compile(
        const dsl::Graph& source, const NodeFactory& factory, std::vector<dsl::Problem>& problems
    );

    [[nodiscard]] const std::vector<GraphNode>& nodes() const noexcept { return nodes_; }

    [[nodiscard]] const std::vector<GraphEdge>& edges() const noexcept { return edges_; }

    [[nodiscard]] const GraphNode& node(NodeIndex index) const { return nodes_[index]; }

    [[nodiscard]] const GraphEdge& edge(EdgeIndex index) const { return edges_[index]; }

    [[nodiscard]] NodeIndex root() const noexcept { return root_; }

    [[nodiscard]] NodeIndex find_node(std::string_view id) const noexcept;

    /// The first edge that joins the nodes with these ids; kNoEdge if there is none.
    [[nodiscard]] EdgeIndex find_edge(
        std::string_view source, std::string_view handle, std::string_view target
    ) const noexcept;

    /// By node id.
    [[nodiscard]] const std::vector<Response>& responses() const noexcept { return responses_; }

private:
    void plan_responses();
    [[nodiscard]] bool may_block(const GraphNode& source, const Response& response) const;

    std::vector<GraphNode> nodes_;
    std::vector<GraphEdge> edges_;
    NodeIndex root_ = kNoNode;
    std::vector<Response> responses_;
    // Keys are the nodes' own ids.
    boost::unordered_flat_map<std::string_view, NodeIndex> index_of_;
};

}  // namespace flowspan::engine
