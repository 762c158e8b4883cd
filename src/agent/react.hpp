#pragma once
// The ReAct convention: what the model is told, and reading what it writes.

#include "agent/agent.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace flowspan::agent {

/// The stop word in front of what only the program may write.
inline constexpr std::string_view kObservation = "Observation";

/// The instruction, the tools with their schemas, and the form of thoughts and actions. Without
/// tools the model is asked to answer at once.
[[nodiscard]] std::string react_system_prompt(
    std::string_view instruction, const std::vector<AgentTool>& tools
);

struct ReactReply {
    std::string thought;                ///< what stands before the action or the answer
    std::optional<std::string> answer;  ///< set if the model has come to an end
    std::string action;                 ///< else the tool that it wants
    json::value action_input;
};

/// Reads a JSON blob `{"action": ..., "action_input": ...}`, lines `Action:` and `Action Input:`,
/// or `Final Answer:`. A text without any of them is the answer.
[[nodiscard]] ReactReply read_react_reply(std::string_view text);

/// Hands on what follows `Final Answer:` while it comes.
class ReactAnswerStream final : public model::ChatListener {
public:
    explicit ReactAnswerStream(AgentListener& listener) : listener_(listener) {}

    void on_text(std::string_view piece) override;

    /// What was handed on.
    [[nodiscard]] const std::string& sent() const noexcept { return sent_; }

private:
    AgentListener& listener_;
    std::string held_;
    std::string sent_;
    bool is_in_answer_ = false;
};

}  // namespace flowspan::agent
