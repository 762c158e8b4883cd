#include "dsl/detail/graph_loader.hpp"

#include "dsl/data_reader.hpp"
#include "dsl/detail/common_fields.hpp"
#include "dsl/detail/graph_checks.hpp"
#include "dsl/detail/node_shape.hpp"
#include "flowspan/value/value.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::dsl::detail {

namespace {

constexpr std::string_view kNodes = "/workflow/graph/nodes";
constexpr std::string_view kEdges = "/workflow/graph/edges";

class GraphLoader {
public:
    explicit GraphLoader(Findings& findings) : findings_(findings) {}

    Graph load(json::value& workflow) {
        auto* graph_data = member(workflow, "graph");
        if (graph_data == nullptr || !graph_data->is_object()) {
            findings_.error(
                "graph.missing",
                "/workflow",
                "`workflow.graph` is missing or no mapping; it must hold `nodes` and `edges`"
            );
            return {};
        }
        load_nodes(member(*graph_data, "nodes"));
        adopt_children();
        load_edges(member(*graph_data, "edges"));
        if (are_nodes_readable_) {
            check_graph(graph_, findings_);
        }
        return std::move(graph_);
    }

private:
    static json::value* member(json::value& data, std::string_view key) {
        auto* object = data.if_object();
        return object == nullptr ? nullptr : object->if_contains(key);
    }

    void load_nodes(json::value* list) {
        if (list == nullptr || !list->is_array()) {
            findings_.error(
                "graph.invalid_nodes",
                "/workflow/graph",
                "`workflow.graph.nodes` is missing or no list; list the app's nodes there"
            );
            are_nodes_readable_ = false;
            return;
        }
        auto& items = list->get_array();
        if (items.size() > kNodesMax) {
            findings_.error(
                "graph.too_many_nodes",
                kNodes,
                fmt::format("{} nodes; at most {} are allowed", items.size(), kNodesMax)
            );
            are_nodes_readable_ = false;
            return;
        }
        auto positions = findings_.positions().parts(kNodes);
        positions.resize(items.size());
        graph_.nodes.reserve(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            load_node(items[i], positions[i], i);
        }
    }

    void load_node(json::value& item, const PositionMap& positions, std::size_t index) {
        const auto place = positions.find("");
        const auto which = fmt::format("node number {}", index + 1);
        if (!item.is_object()) {
            findings_.error_at(
                place,
                "graph.invalid_node",
                fmt::format("{} must be a mapping, but is {}", which, describe_kind(item))
            );
            return;
        }
        if (string_member(item, "type") == "custom-note") {
            notes_.emplace(string_member(item, "id"));
            return;
        }
        auto id = read_id(item, positions, which);
        auto* data = member(item, "data");
        if (data == nullptr || !data->is_object()) {
            findings_.error_at(
                place,
                "graph.invalid_node_data",
                fmt::format("{} has no `data` mapping; its type and settings belong there", which)
            );
            return;
        }
        const auto given_type = string_member(*data, "type");
        const auto type = spell_type(given_type);
        if (type != given_type) {
            findings_.warning_at(
                positions.find("/data/type"),
                "node.type_spelling",
                fmt::format("the node type `{}` is read as `{}`", given_type, type)
            );
            data->get_object()["type"] = type;
        }
        if (type.empty()) {
            findings_.error_at(
                positions.find("/data/type"),
                "graph.invalid_node_type",
                fmt::format(
                    "{} has no `data.type`; name its type there, for example `llm`",
                    id ? fmt::format("node `{}`", *id) : which
                )
            );
        }
        if (!id) {
            return;
        }
        NodeSpec spec;
        spec.id = *std::move(id);
        spec.type = type;
        spec.position = place;
        spec.positions = positions.below("/data");
        spec.data = std::move(*data);
        if (is_new_id(spec)) {
            finish_node(std::move(spec), string_member(item, "parentId"));
        }
    }

    std::optional<std::string> read_id(
        const json::value& item, const PositionMap& positions, std::string_view which
    ) {
        const auto* id = find_member(item, "id");
        if (id != nullptr && id->is_string() && !id->get_string().empty()) {
            return std::string(id->get_string());
        }
        const bool is_number = id != nullptr && id->is_number();
        findings_.error_at(
            positions.find("/id"),
            "graph.invalid_node_id",
            fmt::format(
                "{} {}",
                which,
                is_number ? "has a number as its `id`; put it in quotes"
                          : "has no `id`; give it a text of its own"
            )
        );
        return std::nullopt;
    }

    bool is_new_id(const NodeSpec& spec) {
        const auto [first, is_new] = first_positions_.emplace(spec.id, spec.position);
        if (!is_new) {
            findings_.error_at(
                spec.position,
                "graph.duplicate_node_id",
                fmt::format(
                    "the id `{}` is taken by the node at line {}; give this node another one",
                    spec.id,
                    first->second.line
                )
            );
        }
        return is_new;
    }

    void finish_node(NodeSpec spec, std::string_view parent_id) {
        if (const auto* title = find_member(spec.data, "title");
            title != nullptr && !title->is_null()) {
            spec.title = value::python_str(*title);
        }
        if (const auto* version = find_member(spec.data, "version");
            version != nullptr && !version->is_null()) {
            spec.version = value::python_str(*version);
        }
        spec.parent_id = string_member(spec.data, "iteration_id");
        if (spec.parent_id.empty()) {
            spec.parent_id = string_member(spec.data, "loop_id");
        }
        if (spec.parent_id.empty() && !parent_id.empty()) {
            envelope_parents_.emplace_back(graph_.nodes.size(), parent_id);
        }
        normalise_node(spec);
        check_common_fields(spec, findings_.problems());
        graph_.nodes.push_back(std::move(spec));
    }

    // Authored files name a node's container only beside its data.
    void adopt_children() {
        for (const auto& [index, parent_id] : envelope_parents_) {
            const auto parent = std::ranges::find(graph_.nodes, parent_id, &NodeSpec::id);
            if (parent != graph_.nodes.end() && is_container(*parent)) {
                graph_.nodes[index].parent_id = parent_id;
            }
        }
    }

    void load_edges(const json::value* list) {
        if (list == nullptr || list->is_null()) {
            return;
        }
        if (!list->is_array()) {
            findings_.error(
                "graph.invalid_edges",
                kEdges,
                fmt::format(
                    "`workflow.graph.edges` must be a list, but is {}", describe_kind(*list)
                )
            );
            return;
        }
        const auto& items = list->get_array();
        if (items.size() > kEdgesMax) {
            findings_.error(
                "graph.too_many_edges",
                kEdges,
                fmt::format("{} edges; at most {} are allowed", items.size(), kEdgesMax)
            );
            return;
        }
        auto positions = findings_.positions().parts(kEdges);
        positions.resize(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            load_edge(items[i], positions[i]);
        }
    }

    void load_edge(const json::value& item, const PositionMap& positions) {
        const auto place = positions.find("");
        if (!item.is_object()) {
            findings_.error_at(
                place,
                "graph.invalid_edge",
                fmt::format("an edge must be a mapping, but is {}", describe_kind(item))
            );
            return;
        }
        for (const std::string_view end : {"source", "target"}) {
            const auto* id = find_member(item, end);
            if (id == nullptr || !id->is_string()) {
                findings_.warning_at(
                    place,
                    "graph.invalid_edge_endpoint",
                    fmt::format(
                        "this edge is left out: its `{}` is {}; name a node's id in quotes",
                        end,
                        id == nullptr ? "missing" : describe_kind(*id)
                    )
                );
                return;
            }
        }
        EdgeSpec edge;
        edge.source = string_member(item, "source");
        edge.target = string_member(item, "target");
        edge.position = place;
        if (notes_.contains(edge.source) || notes_.contains(edge.target)) {
            findings_.warning_at(
                place, "graph.edge_to_note", "this edge is left out: it ends at a note"
            );
            return;
        }
        edge.source_handle = read_handle(item, positions);
        edge.id = fmt::format("edge_{}", graph_.edges.size());
        graph_.edges.push_back(std::move(edge));
    }

    std::string read_handle(const json::value& item, const PositionMap& positions) {
        const auto* handle = find_member(item, "sourceHandle");
        if (handle == nullptr || handle->is_null()) {
            return "source";
        }
        if (handle->is_string()) {
            // Files name the branch of a form that nobody answered in either way.
            return handle->get_string() == "__timeout__" ? "__timeout"
                                                         : std::string(handle->get_string());
        }
        // Without quotes `true` and `1` are no text, but they can only mean these handles.
        auto text = to_json_text(*handle);
        findings_.warning_at(
            positions.find("/sourceHandle"),
            "graph.edge_handle_not_text",
            fmt::format("`sourceHandle` is {}; put it in quotes", describe_kind(*handle))
        );
        return text;
    }

    Findings& findings_;
    Graph graph_;
    bool are_nodes_readable_ = true;
    std::vector<std::pair<std::size_t, std::string>> envelope_parents_;  // node index, `parentId`
    boost::unordered_flat_set<std::string> notes_;
    boost::unordered_flat_map<std::string, SourcePosition> first_positions_;
};

}  // namespace

Graph load_graph(json::value& workflow, Findings& findings) {
    return GraphLoader(findings).load(workflow);
}

}  // namespace flowspan::dsl::detail
