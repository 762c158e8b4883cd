#pragma once
// What was said before in a conversation, for nodes that put it into a prompt.

#include "flowspan/async/task.hpp"
#include "flowspan/base/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

/// One message of a conversation.
struct MemoryMessage {
    std::string role;  ///< `user` or `assistant`
    std::string text;
    std::vector<json::value> files;  ///< file records that came with it
};

/// Implemented by whoever keeps conversations. Safe to call from any task.
class ConversationMemory {
public:
    virtual ~ConversationMemory() = default;

    /// The newest `messages_max` messages of the conversation's current thread, oldest first,
    /// without a newest question that has no answer yet. Empty for an unknown conversation.
    [[nodiscard]] virtual Task<Result<std::vector<MemoryMessage>>> load(
        std::string conversation_id, std::int64_t messages_max
    ) = 0;
};

/// Drops the oldest messages until the rest fits `tokens_max` (estimated), keeping at least one.
void fit_to_tokens(std::vector<MemoryMessage>& messages, std::int64_t tokens_max);

/// `Human: ...` and `Assistant: ...` lines, files as `[image]` lines.
[[nodiscard]] std::string to_transcript(
    const std::vector<MemoryMessage>& messages,
    std::string_view user_prefix,
    std::string_view assistant_prefix
);

/// Tokens of a text without the model's own tokenizer: about one a word piece of four Latin
/// characters, one a CJK character.
[[nodiscard]] std::int64_t estimate_tokens(std::string_view text) noexcept;

}  // namespace flowspan::nodes
