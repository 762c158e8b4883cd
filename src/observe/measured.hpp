#pragma once
// Metrics of models, tools, agents and retrieval, by decorating their interfaces. Wrap what is
// measured directly and trace the result, so that exemplars name the call's own span.

#include "agent/agent.hpp"
#include "knowledge/knowledge_store.hpp"
#include "model/chat_model.hpp"
#include "observe/instruments.hpp"
#include "tools/tool.hpp"

#include <memory>

namespace flowspan::observe {

// `inner` and `instruments` must outlive the results and what they hand out.
[[nodiscard]] std::unique_ptr<model::ChatModel> measure_chat_model(
    model::ChatModel& inner, Instruments& instruments
);
[[nodiscard]] std::unique_ptr<tools::ToolProvider> measure_tools(
    tools::ToolProvider& inner, Instruments& instruments
);
[[nodiscard]] std::unique_ptr<knowledge::KnowledgeStore> measure_knowledge(
    knowledge::KnowledgeStore& inner, Instruments& instruments
);

/// Counts rounds (one model call each) and tool calls too.
[[nodiscard]] std::unique_ptr<agent::Agent> measure_agent(
    agent::Agent& inner, Instruments& instruments
);

}  // namespace flowspan::observe
