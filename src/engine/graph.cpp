#include "engine/graph.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace flowspan::engine {

namespace {

RetryPolicy read_retry(const json::value& data) {
    RetryPolicy policy;
    const auto* config = find_member(data, "retry_config");
    if (config == nullptr) {
        return policy;
    }
    const auto* enabled = find_member(*config, "retry_enabled");
    if (enabled == nullptr || !value::Value(*enabled).is_truthy()) {
        return policy;
    }
    const auto number = [&](std::string_view key) -> std::int64_t {
        const auto* member = find_member(*config, key);
        return member == nullptr || !member->is_number() ? 0 : member->to_number<std::int64_t>();
    };
    policy.retries_max = static_cast<int>(std::clamp<std::int64_t>(number("max_retries"), 0, 100));
    policy.interval =
        std::chrono::milliseconds(std::clamp<std::int64_t>(number("retry_interval"), 0, 3'600'000));
    return policy;
}

// Text is parsed when the declared type is not text: numbers as floats, the rest as JSON.
value::Value read_default_value(const json::value& entry) {
    const auto type = string_member(entry, "type", "string");
    const auto* raw = find_member(entry, "value");
    if (raw == nullptr) {
        return {};
    }
    if (!raw->is_string() || type == "string") {
        return value::Value(*raw);
    }
    auto parsed = parse_json(raw->get_string());
    if (!parsed) {
        return value::Value(*raw);
    }
    if (type == "number" && parsed->is_int64()) {
        return value::Value::floating(static_cast<double>(parsed->get_int64()));
    }
    return value::Value(*std::move(parsed));
}

void read_error_strategy(const json::value& data, GraphNode& node) {
    const auto strategy = string_member(data, "error_strategy");
    if (strategy == "fail-branch") {
        node.error_strategy = ErrorStrategy::fail_branch;
    } else if (strategy == "default-value") {
        node.error_strategy = ErrorStrategy::default_value;
        const auto* entries = find_member(data, "default_value");
        if (entries != nullptr && entries->is_array()) {
            for (const auto& entry : entries->get_array()) {
                node.default_values.push_back(
                    {std::string(string_member(entry, "key")), read_default_value(entry)}
                );
            }
        }
    }
}

}  // namespace

NodeIndex Graph::find_node(std::string_view id) const noexcept {
    const auto found = std::ranges::find(nodes_, id, &GraphNode::id);
    return found == nodes_.end() ? kNoNode : static_cast<NodeIndex>(found - nodes_.begin());
}

std::shared_ptr<const Graph> Graph::compile(
    const dsl::Graph& source, const NodeFactory& factory, std::vector<dsl::Problem>& problems
) {
    auto graph = std::make_shared<Graph>();
    std::unordered_map<std::string_view, NodeIndex> index_of;
    for (const auto& spec : source.nodes) {
        GraphNode node;
        node.id = spec.id;
        node.type = spec.type;
        node.title = spec.title;
        const auto* traits = factory.find_traits(spec.type);
        node.traits = traits != nullptr ? *traits : NodeTraits{};
        node.node = factory.build(spec, problems);
        if (node.traits.is_retryable) {
            node.retry = read_retry(spec.data);
        }
        read_error_strategy(spec.data, node);
        index_of.emplace(spec.id, static_cast<NodeIndex>(graph->nodes_.size()));
        graph->nodes_.push_back(std::move(node));
    }
    const auto find = [&](std::string_view id) {
        const auto found = index_of.find(id);
        return found == index_of.end() ? kNoNode : found->second;
    };
    for (std::size_t i = 0; i < source.nodes.size(); ++i) {
        const auto& spec = source.nodes[i];
        graph->nodes_[i].container = find(spec.parent_id);
        const auto start = string_member(spec.data, "start_node_id");
        if (graph->nodes_[i].traits.shape == NodeShape::container) {
            graph->nodes_[i].first_child = find(start);
        }
    }
    for (const auto& spec : source.edges) {
        const auto index = static_cast<EdgeIndex>(graph->edges_.size());
        GraphEdge edge{spec.id, find(spec.source), find(spec.target), spec.source_handle};
        if (edge.source == kNoNode || edge.target == kNoNode) {
            continue;  // the loader reported it
        }
        graph->nodes_[edge.source].outgoing.push_back(index);
        graph->nodes_[edge.target].incoming.push_back(index);
        graph->edges_.push_back(std::move(edge));
    }
    graph->root_ = find(source.root_id);
    const bool is_broken =
        graph->root_ == kNoNode ||
        std::ranges::any_of(graph->nodes_, [](const GraphNode& node) { return !node.node; });
    return is_broken ? nullptr : graph;
}

}  // namespace flowspan::engine
