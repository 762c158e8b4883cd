#include "engine/graph.hpp"

#include "dsl/data_reader.hpp"

#include <algorithm>
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
    if (enabled == nullptr || !dsl::to_boolean(*enabled).value_or(false)) {
        return policy;
    }
    const auto number = [&](std::string_view key) -> std::int64_t {
        const auto* member = find_member(*config, key);
        return member == nullptr ? 0 : dsl::to_integer(*member).value_or(0);
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

/// Stands in for a node whose data is wrong.
class FaultyNode final : public Node {
public:
    explicit FaultyNode(std::string fault) : fault_(std::move(fault)) {}

    Task<Result<NodeOutcome>> execute(NodeContext& /*context*/) const override {
        co_return failure(Error(ErrorCode::invalid_input, fault_).with_type("InvalidNodeDataError")
        );
    }

private:
    std::string fault_;
};

std::string find_fault(
    const dsl::NodeSpec& spec, const std::vector<dsl::Problem>& problems, std::size_t first
) {
    if (!spec.fault.empty()) {
        return spec.fault;
    }
    for (std::size_t i = first; i < problems.size(); ++i) {
        if (problems[i].severity == dsl::Problem::Severity::node_error) {
            return problems[i].message;
        }
    }
    return "node " + spec.name() + " cannot be built";
}

bool starts_with(const value::Selector& selector, const value::Selector& prefix) {
    return prefix.size() >= 2 && selector.size() >= 2 && selector[0] == prefix[0] &&
           selector[1] == prefix[1];
}

}  // namespace

NodeIndex Graph::find_node(std::string_view id) const noexcept {
    const auto found = index_of_.find(id);
    return found == index_of_.end() ? kNoNode : found->second;
}

EdgeIndex Graph::find_edge(
    std::string_view source, std::string_view handle, std::string_view target
) const noexcept {
    const auto from = find_node(source);
    if (from == kNoNode) {
        return kNoEdge;
    }
    const auto& outgoing = nodes_[from].outgoing;
    const auto found = std::ranges::find_if(outgoing, [&](EdgeIndex index) {
        return edges_[index].handle == handle && nodes_[edges_[index].target].id == target;
    });
    return found == outgoing.end() ? kNoEdge : *found;
}

std::shared_ptr<const Graph> Graph::compile(
    const dsl::Graph& source, const NodeFactory& factory, std::vector<dsl::Problem>& problems
) {
    auto graph = std::make_shared<Graph>();
    for (const auto& spec : source.nodes) {
        GraphNode node;
        node.id = spec.id;
        node.type = spec.type;
        node.title = spec.title;
        node.version = spec.version;
        const auto* traits = factory.find_traits(spec.type);
        node.traits = traits != nullptr ? *traits : NodeTraits{};
        const auto before = problems.size();
        node.node = factory.build(spec, problems);
        const bool is_faulty = !node.node || !spec.fault.empty();
        if (is_faulty) {
            node.node = std::make_unique<FaultyNode>(find_fault(spec, problems, before));
        } else if (node.traits.is_retryable) {
            node.retry = read_retry(spec.data);
        }
        read_error_strategy(spec.data, node);
        graph->nodes_.push_back(std::move(node));
    }
    for (NodeIndex index = 0; index < graph->nodes_.size(); ++index) {
        graph->index_of_.emplace(graph->nodes_[index].id, index);
    }
    for (std::size_t i = 0; i < source.nodes.size(); ++i) {
        const auto& spec = source.nodes[i];
        graph->nodes_[i].container = graph->find_node(spec.parent_id);
        const auto start = string_member(spec.data, "start_node_id");
        if (graph->nodes_[i].traits.shape == NodeShape::container) {
            graph->nodes_[i].first_child = graph->find_node(start);
        }
    }
    for (const auto& spec : source.edges) {
        const auto index = static_cast<EdgeIndex>(graph->edges_.size());
        GraphEdge edge{
            spec.id,
            graph->find_node(spec.source),
            graph->find_node(spec.target),
            spec.source_handle
        };
        if (edge.source == kNoNode || edge.target == kNoNode) {
            continue;  // the loader reported it
        }
        graph->nodes_[edge.source].outgoing.push_back(index);
        graph->nodes_[edge.target].incoming.push_back(index);
        graph->edges_.push_back(std::move(edge));
    }
    graph->root_ = graph->find_node(source.root_id);
    if (graph->root_ == kNoNode) {
        return nullptr;
    }
    graph->plan_responses();
    return graph;
}

bool Graph::may_block(const GraphNode& source, const Response& response) const {
    if (source.is_branch() || source.traits.shape == NodeShape::container ||
        source.traits.shape == NodeShape::response) {
        return true;
    }
    return std::ranges::any_of(source.node->written_variables(), [&](const auto& written) {
        return std::ranges::any_of(response.pieces, [&](const auto& piece) {
            return starts_with(piece.segment.selector, written);
        });
    });
}

void Graph::plan_responses() {
    for (NodeIndex index = 0; index < nodes_.size(); ++index) {
        const auto& node = nodes_[index];
        if (node.traits.shape != NodeShape::response || node.container != kNoNode) {
            continue;
        }
        Response response;
        response.node = index;
        for (auto& segment : node.node->response_template()) {
            const auto source = segment.selector.empty() ? kNoNode : find_node(segment.selector[0]);
            response.pieces.push_back({std::move(segment), source});
        }
        for (const auto& source : nodes_) {
            response.is_blocked_by.push_back(may_block(source, response));
        }
        responses_.push_back(std::move(response));
    }
    std::ranges::sort(responses_, {}, [this](const Response& response) -> const std::string& {
        return nodes_[response.node].id;
    });
}

}  // namespace flowspan::engine
