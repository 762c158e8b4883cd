#pragma once
// A run that stands still, as data: everything that another process needs to go on with it.

#include "flowspan/base/clock.hpp"
#include "flowspan/base/error.hpp"
#include "flowspan/engine/node.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::engine {

class Graph;
struct FrameSnapshot;

/// A node that is due, or that was at work and has to go on.
struct PendingNode {
    std::string node_id;
    std::string execution_id;  ///< empty if it has never begun
    std::int64_t index = 0;    ///< NodeRun::index; 0 if it has never begun
    json::object state;        ///< what its kind kept (NodeContext::keep_state, Pause::state)
    std::vector<FrameSnapshot> frames;  ///< containers: the rounds under way
};

/// An edge by what it joins, so that a graph compiled by another version still knows it.
struct EdgeDecision {
    std::string source;
    std::string handle;
    std::string target;
    bool is_taken = false;
};

struct FrameSnapshot {
    std::int64_t index = 0;                        ///< the container's round; 0 for the run
    std::optional<value::VariablePool> variables;  ///< none: shared with the frame around it
    json::object outputs;
    std::optional<Error> error;
    bool has_reached_loop_end = false;
    ModelFacts usage;
    std::vector<std::string> taken_nodes;
    std::vector<std::string> skipped_nodes;
    std::vector<EdgeDecision> edges;
    std::vector<PendingNode> pending;
};

/// How far the text of the response nodes has got; see ResponseStream.
struct StreamSnapshot {
    struct Response {
        std::string node_id;
        std::int64_t at = 0;
        std::string execution_id;
        bool is_activated = false;
        bool is_complete = false;
    };

    struct Buffer {
        std::vector<std::string> selector;
        std::vector<std::string> pieces;
        std::string execution_id;
        bool has_started = false;
        bool is_closed = false;
    };

    std::vector<Response> responses;
    std::vector<std::string> turns;  ///< ids of the activated response nodes in their order
    std::int64_t turn = 0;
    std::vector<Buffer> buffers;
    std::string answer;
    bool has_answer = false;
};

struct RunSnapshot {
    /// Raised when a file written by this version cannot be read by the one before.
    static constexpr std::int64_t kVersion = 1;

    RunInfo info;
    SystemTime taken_at;
    std::chrono::nanoseconds elapsed{0};  ///< how long the run has been at work so far
    std::int64_t steps = 0;
    std::int64_t node_index = 0;
    std::int64_t exceptions_count = 0;
    ModelFacts usage;
    json::array pause_reasons;  ///< empty if the run was not paused but at work
    FrameSnapshot root;
    StreamSnapshot stream;
};

[[nodiscard]] json::object to_json(const RunSnapshot& snapshot);

/// Errors: `unsupported` for another version, `invalid_input` with the place of what is wrong.
[[nodiscard]] Result<RunSnapshot> parse_run_snapshot(const json::value& data);

/// Whether `graph` can go on with `snapshot`: `invalid_input` names the node or edge it lacks.
[[nodiscard]] Result<void> check_snapshot(const RunSnapshot& snapshot, const Graph& graph);

}  // namespace flowspan::engine
