#pragma once
// The `memory` part of nodes that call a model: how much of a conversation goes into a prompt.

#include "dsl/data_reader.hpp"
#include "flowspan/engine/node.hpp"
#include "flowspan/value/text_template.hpp"
#include "model/chat_model.hpp"
#include "nodes/conversation_memory.hpp"
#include "nodes/services.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

struct MemoryConfig {
    struct RolePrefix {
        std::string user;
        std::string assistant;
    };

    bool has_window = false;
    std::int64_t window_size = 0;  ///< 0: not given
    bool has_query_template = false;
    value::TextTemplate query_template;
    std::optional<RolePrefix> role_prefix;
};

/// Empty if the node remembers nothing.
[[nodiscard]] std::optional<MemoryConfig> read_memory_config(
    const dsl::DataReader& reader, std::string_view key
);

/// True if there is a conversation to remember.
[[nodiscard]] bool has_memory(const engine::NodeContext& context, const Services& services);

/// The messages that fit the window and the model's context size, oldest first; none without a
/// conversation. `messages_max` 0: no limit of the node's own.
[[nodiscard]] Task<Result<std::vector<MemoryMessage>>> load_memory(
    const engine::NodeContext& context,
    const Services& services,
    const model::ChatRequest& request,
    std::int64_t messages_max
);

/// The same as `Human: ...` and `Assistant: ...` lines, for nodes that quote the conversation.
/// Their window counts even where it is not switched on. Empty if nothing is remembered.
[[nodiscard]] Task<Result<std::string>> load_quoted_memory(
    const engine::NodeContext& context,
    const Services& services,
    const std::optional<MemoryConfig>& config,
    const model::ChatRequest& request
);

}  // namespace flowspan::nodes
