#include "flowspan/engine/run_snapshot.hpp"

#include "engine/graph.hpp"
#include "engine/run_snapshot_json.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::engine {

namespace {

Result<void> check_version(const json::value& data) {
    std::optional<std::int64_t> version;
    const auto* found = find_member(data, "version");
    if (found == nullptr || !read_json(*found, version) || !version) {
        return failure(ErrorCode::invalid_input, "`version` must be a whole number");
    }
    if (*version == RunSnapshot::kVersion) {
        return {};
    }
    return failure(
        ErrorCode::unsupported,
        fmt::format(
            "the snapshot has version {}, but this program reads version {}; resume it with {}",
            *version,
            RunSnapshot::kVersion,
            *version > RunSnapshot::kVersion ? "a newer program" : "the program that wrote it"
        )
    );
}

Error lacking(std::string_view what) {
    return Error(
        ErrorCode::invalid_input,
        fmt::format("the snapshot does not belong to this app, which has no {}", what)
    );
}

Result<void> check_node(const Graph& graph, std::string_view id) {
    if (graph.find_node(id) == kNoNode) {
        return failure(lacking(fmt::format("node `{}`", id)));
    }
    return {};
}

Result<void> check_edge(const Graph& graph, const EdgeDecision& edge) {
    if (graph.find_edge(edge.source, edge.handle, edge.target) == kNoEdge) {
        return failure(lacking(
            fmt::format("edge from `{}` ({}) to `{}`", edge.source, edge.handle, edge.target)
        ));
    }
    return {};
}

Result<void> check_frame(const FrameSnapshot& frame, const Graph& graph);

Result<void> check_pending(const PendingNode& pending, const Graph& graph) {
    auto result = check_node(graph, pending.node_id);
    for (const auto& frame : pending.frames) {
        if (result) {
            result = check_frame(frame, graph);
        }
    }
    return result;
}

Result<void> check_frame(const FrameSnapshot& frame, const Graph& graph) {
    Result<void> result;
    const auto check_all = [&](const auto& list, const auto& check) {
        for (auto item = list.begin(); result && item != list.end(); ++item) {
            result = check(*item);
        }
    };
    const auto has_node = [&](const std::string& id) { return check_node(graph, id); };
    check_all(frame.taken_nodes, has_node);
    check_all(frame.skipped_nodes, has_node);
    check_all(frame.edges, [&](const auto& edge) { return check_edge(graph, edge); });
    check_all(frame.pending, [&](const auto& node) { return check_pending(node, graph); });
    return result;
}

}  // namespace

json::object to_json(const RunSnapshot& snapshot) {
    json::object object{{"version", RunSnapshot::kVersion}};
    const auto content = write_json(snapshot);
    object.insert(content.get_object().begin(), content.get_object().end());
    return object;
}

Result<RunSnapshot> parse_run_snapshot(const json::value& data) {
    if (auto checked = check_version(data); !checked) {
        return failure(std::move(checked).error());
    }
    RunSnapshot snapshot;
    if (auto read = read_json(data, snapshot); !read) {
        return failure(std::move(read).error().while_doing("reading the snapshot"));
    }
    if (!snapshot.root.variables) {
        return failure(ErrorCode::invalid_input, "`root.variables` must be an object");
    }
    return snapshot;
}

Result<void> check_snapshot(const RunSnapshot& snapshot, const Graph& graph) {
    return check_frame(snapshot.root, graph);
}

}  // namespace flowspan::engine
