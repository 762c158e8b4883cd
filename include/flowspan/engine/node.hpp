#pragma once
// What a node kind implements, and what it is given while it runs.

#include "flowspan/async/task.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/value/text_template.hpp"
#include "flowspan/value/variable_pool.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace flowspan::engine {

/// How the engine treats a node's edges and outputs.
enum class NodeShape : std::uint8_t {
    root,        ///< a run may start here
    executable,  ///< takes all outgoing edges
    branch,      ///< takes the edges of the handle it chose
    container,   ///< runs frames of its children
    response,    ///< contributes to the run's outputs
};

struct NodeTraits {
    NodeShape shape = NodeShape::executable;
    bool is_retryable = false;  ///< honours `retry_config`
    bool is_hidden = false;     ///< container start nodes: no node events
};

/// Token and price facts of the model calls that a node made.
struct ModelFacts {
    std::string provider;
    std::string model;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double total_price = 0;
    std::string currency = "USD";
    std::string finish_reason;
    double time_to_first_token = 0;  ///< seconds

    [[nodiscard]] std::int64_t total_tokens() const noexcept {
        return prompt_tokens + completion_tokens;
    }
};

struct HttpFacts {
    std::string method;
    std::string url;
    std::int64_t status_code = 0;
};

struct RetrievalFacts {
    std::vector<std::string> dataset_ids;
    std::int64_t document_count = 0;
    std::optional<std::int64_t> top_k;
};

struct ToolFacts {
    std::string provider;
    std::string tool;
    std::string type;
};

using NodeFacts = std::variant<std::monostate, ModelFacts, HttpFacts, RetrievalFacts, ToolFacts>;

/// Kept for logs and traces whether the node succeeds or fails; nothing of it enters the pool.
struct NodeRecord {
    json::object inputs;
    json::object process_data;
    json::object metadata;
    NodeFacts facts;
};

/// An output in the order in which it was produced.
struct NodeOutput {
    std::string name;
    value::Value value;
};

/// Why a node cannot go on by itself. The run stands still once nothing else is at work; when it is
/// resumed, the node runs again from its beginning.
struct Pause {
    json::object reason;  ///< shown to whoever has to act; `session_id` names it among others
    json::object state;   ///< given back by NodeContext::kept_state
};

/// What an execution that did not fail gives.
struct NodeOutcome {
    std::vector<NodeOutput> outputs;
    std::string edge_handle = "source";  ///< branch nodes: the chosen handle
    std::unique_ptr<Pause> pause = {};   ///< set: nothing else counts
};

/// What an execution that takes long can say of itself at any moment between its frames.
class StateKeeper {
public:
    virtual ~StateKeeper() = default;

    /// Enough for an execution in another process to go on; see NodeContext::keep_state.
    [[nodiscard]] virtual json::object save_state() const = 0;
};

/// Who runs what for whom; the same for all nodes of a run.
struct RunInfo {
    std::string run_id;
    std::string task_id;
    std::string app_id;
    std::string app_name;
    std::string app_mode;  ///< wire name
    std::string workflow_id;
    std::string user_id;
    std::string conversation_id;  ///< empty in workflow mode
    std::string invoke_from;      ///< `service-api`, `cli`, ...
    int call_depth = 0;           ///< workflows used as tools run one deeper
};

/// A round of a container.
struct FrameRequest {
    std::string index_name;  ///< `iteration` or `loop`
    std::int64_t index = 0;
    bool shares_variables = false;  ///< loop: writes are visible outside; iteration: a copy
    /// What response nodes in the frame give becomes the container's, unless an iteration's frame
    /// fails.
    bool merges_outputs = false;
    /// Set under the container's id before the frame starts.
    std::vector<NodeOutput> variables;
};

struct FrameResult {
    value::VariablePool variables;  ///< after the frame (for a shared pool: the same content)
    json::object outputs;           ///< of response nodes in the frame
    std::optional<Error> error;     ///< the first unhandled failure
    bool has_reached_loop_end = false;
    double elapsed = 0;  ///< seconds
    ModelFacts usage;    ///< summed over the frame
};

/// How a form was answered.
struct FormFacts {
    std::string rendered_content;
    std::string action_id;
    std::string action_text;
    json::object submitted_data;
};

/// A container's own events; ignored for others.
enum class ContainerEvent : std::uint8_t { started, next, succeeded, failed };

/// The engine as one running node sees it. Used on the run's strand, only while execute() runs.
class NodeContext {
public:
    virtual ~NodeContext() = default;

    [[nodiscard]] virtual const RunInfo& run() const noexcept = 0;
    [[nodiscard]] virtual const value::VariablePool& variables() const noexcept = 0;
    [[nodiscard]] virtual std::string_view node_id() const noexcept = 0;
    [[nodiscard]] virtual std::string_view execution_id() const noexcept = 0;

    [[nodiscard]] virtual NodeRecord& record() noexcept = 0;

    /// Streams a piece of the output `name`; the last one is final and may be empty.
    virtual void stream_text(std::string_view name, std::string_view piece, bool is_final) = 0;
    virtual void stream_reasoning(std::string_view piece, bool is_final) = 0;

    /// Documents that an answer will cite, and the text they gave to the model.
    virtual void report_retrieval(const json::array& resources, std::string_view context) = 0;

    /// A step that a person can follow, such as a round of an agent; told again under the same
    /// `message_id` when it has ended.
    virtual void report_agent_log(const json::object& log) = 0;

    /// Writes a variable outside of the node's own outputs (conversation and loop variables).
    virtual void update_variable(std::string_view group, std::string_view name, value::Value v) = 0;

    /// Something the user should know that is no failure, for example a missing variable.
    virtual void warn(std::string_view code, std::string message) = 0;

    /// Asked for the state when a snapshot of the run is taken while execute() runs. `keeper` must
    /// live as long as execute() does.
    virtual void keep_state(const StateKeeper& keeper) = 0;

    /// What an interrupted execution of this node kept; null if this is its first.
    [[nodiscard]] virtual const json::object* kept_state() const noexcept = 0;

    /// What came in from outside for the pause that `session_id` names; null if nothing did.
    [[nodiscard]] virtual const json::object* find_answer(std::string_view session_id
    ) const noexcept = 0;

    /// Somebody answered the form that this node waited for, or nobody did in time.
    virtual void report_form_filled(const FormFacts& form) = 0;
    virtual void report_form_timeout(SystemTime expired_at) = 0;

    /// Containers only: announces a step of the container's own life.
    virtual void report_container(
        ContainerEvent event, std::int64_t index, const json::object& facts
    ) = 0;

    /// Containers only: runs the children once. Several may run at a time. A frame that was under
    /// way when the run was interrupted goes on from there if its index is the same.
    [[nodiscard]] virtual Task<FrameResult> run_frame(FrameRequest request) = 0;

    /// Containers only: removes the outputs of all children (before a loop's round).
    virtual void erase_child_outputs() = 0;
};

/// One node of a graph. Built once per app and shared by all its runs, so execute() is const and
/// keeps its state in its own frame.
class Node {
public:
    virtual ~Node() = default;

    /// Runs on the run's strand. A failure goes through retry and error strategy.
    [[nodiscard]] virtual Task<Result<NodeOutcome>> execute(NodeContext& context) const = 0;

    /// Response nodes: what is streamed to the user, in order; variables as references.
    [[nodiscard]] virtual std::vector<value::TextTemplate::Segment> response_template() const {
        return {};
    }

    /// What the started event tells besides who starts: `provider_type` and `provider_id` of tools,
    /// `extras`. Null if there is nothing.
    [[nodiscard]] virtual const json::object* start_facts() const noexcept { return nullptr; }

    /// Variables outside of its own outputs that the node may write (assigners).
    [[nodiscard]] virtual std::vector<value::Selector> written_variables() const { return {}; }
};

}  // namespace flowspan::engine
