#pragma once
// How the parts of a snapshot look as JSON.

#include "base/described_json.hpp"
#include "base/error_json.hpp"
#include "flowspan/engine/run_snapshot.hpp"

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

}  // namespace flowspan::engine
