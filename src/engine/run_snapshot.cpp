#include "flowspan/engine/run_snapshot.hpp"

#include "base/described_json.hpp"
#include "base/error_json.hpp"
#include "engine/graph.hpp"

#include <boost/describe/class.hpp>

#include <fmt/format.h>

#include <utility>

namespace flowspan {

// Durations and times are whole nanoseconds: nothing is lost on the way through a file.
template <>
struct JsonForm<std::chrono::nanoseconds> {
    static json::value write(const std::chrono::nanoseconds& duration) { return duration.count(); }

    static Result<std::chrono::nanoseconds> read(const json::value& data) {
        std::int64_t count = 0;
        if (auto read = read_json(data, count); !read) {
            return failure(std::move(read).error());
        }
        return std::chrono::nanoseconds(count);
    }
};

template <>
struct JsonForm<SystemTime> {
    static json::value write(const SystemTime& time) {
        return std::chrono::nanoseconds(time.time_since_epoch()).count();
    }

    static Result<SystemTime> read(const json::value& data) {
        FLOWSPAN_TRY(const auto since_epoch, JsonForm<std::chrono::nanoseconds>::read(data));
        return SystemTime(std::chrono::duration_cast<SystemTime::duration>(since_epoch));
    }
};

template <>
struct JsonForm<value::Value> {
    static json::value write(const value::Value& value) {
        return {{"type", value::to_string(value.type())}, {"value", value.json()}};
    }

    static Result<value::Value> read(const json::value& data) {
        const auto* content = find_member(data, "value");
        if (content == nullptr) {
            return failure(ErrorCode::invalid_input, "must be an object with `type` and `value`");
        }
        FLOWSPAN_TRY(const auto type, value::parse_value_type(string_member(data, "type")));
        // The declared element type survives, whatever inference would say of the elements.
        if (value::is_array(type) && content->is_array()) {
            return value::Value::unchecked(*content, type);
        }
        return value::Value::typed(*content, type);
    }
};

template <>
struct JsonForm<value::VariablePool> {
    static json::value write(const value::VariablePool& pool) {
        json::object groups;
        pool.for_each([&](std::string_view group, std::string_view name, const auto& variable) {
            auto& variables = groups[group];
            if (!variables.is_object()) {
                variables.emplace_object();
            }
            variables.get_object()[name] = write_json(variable);
        });
        return groups;
    }

    static Result<value::VariablePool> read(const json::value& data) {
        json::object groups;
        if (auto read = read_json(data, groups); !read) {
            return failure(std::move(read).error());
        }
        value::VariablePool pool;
        for (const auto& group : groups) {
            json::object variables;
            if (auto read = read_json(group.value(), variables); !read) {
                return failure(detail::at_place(group.key(), std::move(read).error()));
            }
            for (const auto& variable : variables) {
                auto value = JsonForm<value::Value>::read(variable.value());
                if (!value) {
                    const auto place = fmt::format(
                        "{}.{}", std::string_view(group.key()), std::string_view(variable.key())
                    );
                    return failure(detail::at_place(place, std::move(value).error()));
                }
                pool.set(group.key(), variable.key(), *std::move(value));
            }
        }
        return pool;
    }
};

}  // namespace flowspan

namespace flowspan::engine {

BOOST_DESCRIBE_STRUCT(
    RunInfo,
    (),
    (run_id,
     task_id,
     app_id,
     app_name,
     app_mode,
     workflow_id,
     user_id,
     conversation_id,
     invoke_from,
     call_depth)
)
BOOST_DESCRIBE_STRUCT(
    ModelFacts,
    (),
    (provider,
     model,
     prompt_tokens,
     completion_tokens,
     total_price,
     currency,
     finish_reason,
     time_to_first_token)
)
BOOST_DESCRIBE_STRUCT(PendingNode, (), (node_id, execution_id, index, state, frames))
BOOST_DESCRIBE_STRUCT(EdgeDecision, (), (source, handle, target, is_taken))
BOOST_DESCRIBE_STRUCT(
    FrameSnapshot,
    (),
    (index,
     variables,
     outputs,
     error,
     has_reached_loop_end,
     usage,
     taken_nodes,
     skipped_nodes,
     edges,
     pending)
)
BOOST_DESCRIBE_STRUCT(
    StreamSnapshot::Response, (), (node_id, at, execution_id, is_activated, is_complete)
)
BOOST_DESCRIBE_STRUCT(
    StreamSnapshot::Buffer, (), (selector, pieces, execution_id, has_started, is_closed)
)
BOOST_DESCRIBE_STRUCT(StreamSnapshot, (), (responses, turns, turn, buffers, answer, has_answer))
BOOST_DESCRIBE_STRUCT(
    RunSnapshot,
    (),
    (info,
     taken_at,
     elapsed,
     steps,
     node_index,
     exceptions_count,
     usage,
     pause_reasons,
     root,
     stream)
)

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
