#pragma once
// What happens in a run, as one ordered stream. Events are views: copy what you keep.

#include "flowspan/base/clock.hpp"
#include "flowspan/engine/node.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flowspan::engine {

enum class RunStatus : std::uint8_t {
    running,
    succeeded,
    partial_succeeded,  ///< wire name `partial-succeeded`
    failed,
    stopped,
    paused,
};

enum class NodeStatus : std::uint8_t {
    running,
    succeeded,
    failed,
    exception,
    stopped,
    paused,
    retry
};

[[nodiscard]] std::string_view to_string(RunStatus status) noexcept;
[[nodiscard]] std::string_view to_string(NodeStatus status) noexcept;

/// The round that a node execution belongs to; empty ids at top level.
struct ContainerPosition {
    std::string iteration_id;
    std::int64_t iteration_index = 0;
    std::string loop_id;
    std::int64_t loop_index = 0;
};

/// One execution of one node. Lives as long as the execution; its address is stable.
struct NodeRun {
    std::string_view node_id;
    std::string_view node_type;
    std::string_view title;
    std::string_view version;                    ///< of the node's data; `1` unless it says another
    const json::object* start_facts = nullptr;   ///< may be null; see Node::start_facts
    std::string execution_id;                    ///< UUID; the same over all attempts
    std::int64_t index = 0;                      ///< order of readiness in the run, from 1
    std::vector<std::string_view> predecessors;  ///< ids of the nodes whose edges made it ready
    const ContainerPosition* container = nullptr;  ///< never null
    int attempt = 0;                               ///< 0 for the first
    int attempts_max = 1;
    bool is_hidden = false;
    SteadyTime ready_at;
    SteadyTime started_at;  ///< of the current attempt
    SystemTime started_at_utc;
};

/// The result of an attempt, or of the execution once it is final.
struct NodeResult {
    NodeStatus status = NodeStatus::running;
    NodeRecord record;
    std::vector<NodeOutput> outputs;
    std::string edge_handle = "source";
    std::optional<Error> error;
    std::string error_strategy;  ///< `fail-branch` or `default-value` if one handled the error
    SteadyTime finished_at;
};

struct GraphRunStarted {
    bool is_resumption = false;
};

struct GraphRunSucceeded {
    const json::object* outputs;
};

struct GraphRunPartialSucceeded {
    const json::object* outputs;
    std::int64_t exceptions_count;
};

struct GraphRunFailed {
    const Error* error;
    std::int64_t exceptions_count;
};

/// `reason` carries the prefix `Aborted: `.
struct GraphRunAborted {
    std::string_view reason;
    const json::object* outputs;
};

/// The run stands still and can go on from its snapshot.
struct GraphRunPaused {
    const json::array* reasons;
    const json::object* outputs;
};

struct GraphEdgeDecided {
    bool is_taken;
    std::string_view edge_id;
    std::string_view source_node_id;
    std::string_view target_node_id;
    std::string_view source_handle;
};

struct NodeRunStarted {
    const NodeRun* node;
};

struct NodeRunStreamChunk {
    const NodeRun* node;       ///< null for text of a response node that has not started
    std::string_view node_id;  ///< the selector's node
    std::string_view name;     ///< the selector's output
    std::string_view execution_id;
    std::string_view chunk;
    bool is_final;
};

struct NodeRunReasoningChunk {
    const NodeRun* node;
    std::string_view chunk;
    bool is_final;
};

struct NodeRunRetrieverResource {
    const NodeRun* node;
    const json::array* resources;
    std::string_view context;
};

struct NodeRunAgentLog {
    const NodeRun* node;
    const json::object* log;
};

struct NodeRunVariableUpdated {
    const NodeRun* node;
    std::string_view group;
    std::string_view name;
    const value::Value* value;
};

struct NodeRunWarning {
    const NodeRun* node;
    std::string_view code;
    std::string_view message;
};

/// A failed attempt that will be followed by another one after `delay`.
struct NodeRunRetry {
    const NodeRun* node;
    int retry_index;  ///< from 1
    std::chrono::milliseconds delay;
    const NodeResult* result;
};

struct NodeRunSucceeded {
    const NodeRun* node;
    const NodeResult* result;
};

struct NodeRunFailed {
    const NodeRun* node;
    const NodeResult* result;
};

/// A failure that the node's error strategy handled.
struct NodeRunException {
    const NodeRun* node;
    const NodeResult* result;
};

/// The node waits for something from outside; no other result follows in this run.
struct NodeRunPauseRequested {
    const NodeRun* node;
    const json::object* reason;
    const NodeResult* result;
};

struct NodeRunHumanInputFormFilled {
    const NodeRun* node;
    const FormFacts* form;
};

struct NodeRunHumanInputFormTimeout {
    const NodeRun* node;
    SystemTime expired_at;
};

struct NodeRunContainer {
    const NodeRun* node;
    ContainerEvent event;
    std::int64_t index;         ///< of `next`
    const json::object* facts;  ///< inputs, outputs, metadata, steps as the kind has them
};

/// A round of a container begins or ends. Seen by layers only, in the round's own task, so that a
/// span made here is the parent of everything in the round.
struct FrameStarted {
    const NodeRun* node;
    std::string_view kind;
    std::int64_t index;
    const void* frame;
    SteadyTime started_at;
};

struct FrameEnded {
    const NodeRun* node;
    std::int64_t index;
    const void* frame;
    const Error* error;
    bool is_paused = false;  ///< the run stands still in the middle of this round
};

using Event = std::variant<
    GraphRunStarted,
    GraphRunSucceeded,
    GraphRunPartialSucceeded,
    GraphRunFailed,
    GraphRunAborted,
    GraphRunPaused,
    GraphEdgeDecided,
    NodeRunStarted,
    NodeRunStreamChunk,
    NodeRunReasoningChunk,
    NodeRunRetrieverResource,
    NodeRunAgentLog,
    NodeRunVariableUpdated,
    NodeRunWarning,
    NodeRunRetry,
    NodeRunSucceeded,
    NodeRunFailed,
    NodeRunException,
    NodeRunPauseRequested,
    NodeRunHumanInputFormFilled,
    NodeRunHumanInputFormTimeout,
    NodeRunContainer,
    FrameStarted,
    FrameEnded>;

/// Takes the events of one run, on its strand. Must not wait and must not throw.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void on_event(const Event& event) = 0;
};

/// The wire name of an event, for example `node_run_succeeded`.
[[nodiscard]] std::string_view event_name(const Event& event) noexcept;

/// The event as one JSON object (`--events` prints these). Empty for layer-only events.
[[nodiscard]] std::optional<json::object> to_json(const Event& event);

}  // namespace flowspan::engine
