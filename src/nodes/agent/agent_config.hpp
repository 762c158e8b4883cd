#pragma once
// The data of an agent node: strategy and parameters, some of which hold whole tools.

#include "agent/agent.hpp"
#include "dsl/data_reader.hpp"
#include "nodes/prompt_memory.hpp"
#include "nodes/tool_input.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::nodes::agent {

struct Config {
    std::string name;  ///< the node's title
    std::string strategy_provider;
    std::string strategy_name;
    std::optional<flowspan::agent::Strategy> strategy;
    std::vector<ToolInput> parameters;  ///< `model`, `tools`, `instruction`, `query`, ...
    std::optional<MemoryConfig> memory;
};

[[nodiscard]] Config read_config(const dsl::DataReader& reader);

/// A tool of the agent, with the object that the definition belongs to.
struct PreparedTools {
    std::vector<std::unique_ptr<const tools::Tool>> owned;
    std::vector<flowspan::agent::AgentTool> tools;
};

/// Finds the enabled tools of the list that the parameter `tools` came to. Error
/// `ToolRuntimeResolutionError` if one is mapped to nothing.
[[nodiscard]] Result<PreparedTools> prepare_tools(
    engine::NodeContext& context, const Services& services, const json::value& list
);

/// The tools that the app file itself names, for checks.
[[nodiscard]] std::vector<tools::ToolRef> named_tools(const Config& config);

}  // namespace flowspan::nodes::agent
