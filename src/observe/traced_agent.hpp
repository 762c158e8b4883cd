#pragma once
// `invoke_agent {name}` spans around agents, and one span for each of their rounds.

#include "agent/agent.hpp"
#include "flowspan/trace/capture_policy.hpp"

#include <memory>

namespace flowspan::observe {

/// `inner` and `policy` must outlive the result.
[[nodiscard]] std::unique_ptr<agent::Agent> trace_agent(
    agent::Agent& inner, const trace::CapturePolicy& policy
);

/// Spans `agent round`; model and tool spans come below them. `inner` must outlive the result.
[[nodiscard]] std::unique_ptr<agent::AgentRound> trace_agent_round(agent::AgentRound& inner);

}  // namespace flowspan::observe
