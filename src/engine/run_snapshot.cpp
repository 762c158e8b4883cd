#include "flowspan/engine/run_snapshot.hpp"

#include "engine/graph.hpp"
#include "engine/run_snapshot_json.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string_view>
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

// Far more than a run can count, and so far from the end of the type that sums stay inside.
constexpr std::int64_t kCountMax = 1'000'000'000'000;

// What node kinds keep may also be a time in seconds; the clock ends in 2262.
constexpr std::int64_t kStateNumberMax = 9'000'000'000;

constexpr std::chrono::nanoseconds kElapsedMax = std::chrono::hours(24 * 3650);

/// Finds the first number that no run can have come to.
class NumberCheck {
public:
    [[nodiscard]] Result<void> check(const RunSnapshot& snapshot) {
        count("steps", snapshot.steps);
        count("node_index", snapshot.node_index);
        count("exceptions_count", snapshot.exceptions_count);
        usage(snapshot.usage);
        for (const auto& reason : snapshot.pause_reasons) {
            state("pause_reasons", reason);
        }
        frame(snapshot.root);
        count("stream.turn", snapshot.stream.turn);
        for (const auto& response : snapshot.stream.responses) {
            count("stream.responses.at", response.at);
        }
        if (snapshot.elapsed < std::chrono::nanoseconds(0) || snapshot.elapsed > kElapsedMax) {
            refuse("elapsed");
        }
        return std::move(result_);
    }

private:
    void frame(const FrameSnapshot& frame) {
        count("frame.index", frame.index);
        usage(frame.usage);
        for (const auto& node : frame.pending) {
            count("pending.index", node.index);
            state("pending.state", node.state);
            for (const auto& round : node.frames) {
                this->frame(round);
            }
        }
    }

    void usage(const ModelFacts& facts) {
        count("usage.prompt_tokens", facts.prompt_tokens);
        count("usage.completion_tokens", facts.completion_tokens);
    }

    void state(std::string_view name, const json::value& kept) {
        const auto* object = kept.if_object();
        if (object == nullptr) {
            return;
        }
        for (const auto& member : *object) {
            const auto* number = member.value().if_int64();
            if (member.value().is_uint64() ||
                (number != nullptr && (*number < 0 || *number > kStateNumberMax))) {
                refuse(fmt::format("{}.{}", name, std::string_view(member.key())));
            }
        }
    }

    void count(std::string_view name, std::int64_t number) {
        if (number < 0 || number > kCountMax) {
            refuse(name);
        }
    }

    void refuse(std::string_view name) {
        if (result_) {
            result_ = failure(
                ErrorCode::invalid_input, fmt::format("`{}` is a number that no run comes to", name)
            );
        }
    }

    Result<void> result_;
};

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
    if (auto checked = NumberCheck().check(snapshot); !checked) {
        return failure(std::move(checked).error());
    }
    return snapshot;
}

Result<void> check_snapshot(const RunSnapshot& snapshot, const Graph& graph) {
    return check_frame(snapshot.root, graph);
}

}  // namespace flowspan::engine
