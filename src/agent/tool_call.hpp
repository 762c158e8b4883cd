#pragma once
// Calls the tool that a model asked for.

#include "agent/agent.hpp"

#include <string>

namespace flowspan::agent {

struct WantedCall {
    std::string id;
    std::string name;
    json::value arguments;  ///< an object, its JSON as text, or the one argument itself
};

/// What the model is told of it: the tool's reply, or why there is none. Files and variables are
/// added to the run's messages. `log` has the ids that the call is reported under.
[[nodiscard]] Task<std::string> call_tool(AgentState& state, WantedCall call, AgentLog log);

}  // namespace flowspan::agent
