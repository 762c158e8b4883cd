#pragma once
// `invoke_agent {name}` spans around agents, and one span for each of their rounds.

#include "agent/agent.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "model/chat_model.hpp"

#include <memory>

namespace flowspan::observe {

/// `model` is the one that agents call: it knows its provider as the conventions name it. All three
/// must outlive the result.
[[nodiscard]] std::unique_ptr<agent::Agent> trace_agent(
    agent::Agent& inner, const model::ChatModel& model, const trace::CapturePolicy& policy
);

/// Spans `agent round`; model and tool spans come below them. `inner` must outlive the result.
[[nodiscard]] std::unique_ptr<agent::AgentRound> trace_agent_round(agent::AgentRound& inner);

}  // namespace flowspan::observe
