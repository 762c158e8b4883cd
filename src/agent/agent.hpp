#pragma once
// An agent: a model that is asked in rounds and may call tools in between.

#include "flowspan/async/task.hpp"
#include "flowspan/base/clock.hpp"
#include "model/chat_model.hpp"
#include "tools/tool.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::agent {

enum class Strategy : std::uint8_t {
    function_calling,  ///< the model's own tool calls
    react,             ///< thoughts, actions and observations as text
};

/// A strategy by its name in app files (`function_calling`, `ReAct`, `cot`, ...); empty if unknown.
[[nodiscard]] std::optional<Strategy> parse_strategy(std::string_view name);

/// A tool as the model sees it.
struct AgentTool {
    const tools::Tool* tool = nullptr;  ///< outlives the run
    model::ToolDefinition definition;
    /// Types of what the model fills in; unknown names are passed on as they come.
    std::vector<tools::ToolParameter> parameters = {};
    json::object fixed_arguments = {};  ///< go before what the model says
};

struct AgentRequest {
    std::string name = {};  ///< for spans and logs
    Strategy strategy = Strategy::function_calling;
    model::ModelRef model;
    json::object parameters = {};
    std::vector<std::string> stop = {};
    std::string user = {};
    std::string instruction = {};
    std::string query = {};
    std::vector<model::ChatMessage> history = {};
    std::vector<AgentTool> tools = {};
    /// Rounds with tools; one more without them may follow.
    std::int64_t rounds_max = 3;
    tools::ToolContext tool_context = {};
};

/// A step that a person can follow; told again under the same id when it has ended.
struct AgentLog {
    std::string id = {};
    std::string parent_id = {};  ///< of the round that a call belongs to
    std::string label = {};
    std::string status = "start";  ///< `start`, `success` or `error`
    std::string error = {};
    json::object data = {};
    json::object metadata = {};
};

/// Hears of the run as it goes, in its task. Must not wait.
class AgentListener {
public:
    virtual ~AgentListener() = default;
    virtual void on_text(std::string_view piece) = 0;

    virtual void on_log(const AgentLog& /*log*/) {}
};

struct AgentResult {
    std::string text = {};                          ///< everything that was streamed
    std::vector<tools::ToolMessage> messages = {};  ///< files, links, data and variables of tools
    model::Usage usage;                             ///< of all rounds
    std::string finish_reason = {};
    std::int64_t rounds = 0;
};

/// Safe to call from any task on any loop; implementations keep no per-run state.
class Agent {
public:
    virtual ~Agent() = default;

    /// `request` and `listener` must outlive the task. A tool that fails is told to the model; a
    /// model that fails is the error. `limit_exceeded` if the model still wants a tool in the last
    /// round.
    [[nodiscard]] virtual Task<Result<AgentResult>> run(
        const AgentRequest& request, AgentListener& listener
    ) = 0;
};

/// What a run has come to between rounds.
struct AgentState {
    const AgentRequest& request;
    AgentListener& listener;
    AgentResult result = {};
    std::vector<model::ChatMessage> messages = {};
    std::int64_t round = 1;      ///< counts from 1
    bool is_last_round = false;  ///< tools are withheld
};

/// One round: the model is asked once, and the tools that it wants are called.
class AgentRound {
public:
    virtual ~AgentRound() = default;

    /// True if the answer is there.
    [[nodiscard]] virtual Task<Result<bool>> run(AgentState& state) = 0;
};

/// Rounds of both strategies. `chat_model` and `random` must outlive them.
[[nodiscard]] std::unique_ptr<AgentRound> make_agent_round(
    model::ChatModel& chat_model, Random& random
);

/// Goes round after round; `round` must outlive the agent.
[[nodiscard]] std::unique_ptr<Agent> make_agent(AgentRound& round);

}  // namespace flowspan::agent
