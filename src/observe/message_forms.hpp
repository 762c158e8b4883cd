#pragma once
// Model messages in the form of the GenAI conventions: role and typed parts.

#include "flowspan/base/json.hpp"
#include "model/chat_model.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace flowspan::observe {

/// `gen_ai.input.messages`. Files are named, never embedded.
[[nodiscard]] json::array to_message_list(const std::vector<model::ChatMessage>& messages);

/// `gen_ai.output.messages`: one choice.
[[nodiscard]] json::array to_message_list(const model::ChatReply& reply);

/// A list of one message that is plain text.
[[nodiscard]] json::array to_message_list(std::string_view role, std::string_view text);

/// `gen_ai.tool.definitions`.
[[nodiscard]] json::array to_definition_list(const std::vector<model::ToolDefinition>& tools);

/// Bytes of text that the messages hold.
[[nodiscard]] std::size_t text_size(const std::vector<model::ChatMessage>& messages) noexcept;
[[nodiscard]] std::size_t text_size(const model::ChatReply& reply) noexcept;
[[nodiscard]] std::size_t text_size(const std::vector<model::ToolDefinition>& tools);

}  // namespace flowspan::observe
