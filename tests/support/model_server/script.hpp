#pragma once
// What the scripted model server answers, and when.

#include "flowspan/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::model_server {

struct ScriptedToolCall {
    std::string id = {};
    std::string name = {};
    std::string arguments = {};
};

struct ScriptedUsage {
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t cached_tokens = 0;
    std::int64_t reasoning_tokens = 0;
};

/// One answer. The first entry of a script whose conditions hold is used.
struct ScriptedReply {
    // Conditions: substrings of the last user message, of all messages, and of the model's name.
    std::string message = {};
    std::string any_message = {};
    std::string model = {};
    int times = 0;  ///< how often the entry may be used; 0: always

    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers = {};
    /// Sent as it is, instead of a completion: an error body, or garbage.
    std::optional<std::string> body = {};
    std::string content_type = {};

    std::optional<std::string> text = {};  ///< streamed word by word
    std::string reasoning = {};            ///< streamed before the text, as `reasoning_content`
    std::vector<ScriptedToolCall> tool_calls = {};
    std::string finish_reason = {};  ///< default `stop`, or `tool_calls`
    std::optional<ScriptedUsage> usage = {};
    std::optional<int> tokens = {};  ///< that many generated tokens, if there is no text

    std::optional<std::chrono::microseconds> first_delay = {};
    std::optional<std::chrono::microseconds> gap = {};
    bool should_hang = false;                  ///< reads the request and never answers
    std::optional<int> disconnect_after = {};  ///< closes after that many tokens
    std::optional<int> hang_after = {};        ///< goes silent after that many tokens
    bool has_done_mark = true;                 ///< ends a stream with `[DONE]`
    std::size_t slice = 0;                     ///< bytes per write; 0: as many as are due
};

struct Script {
    int tokens = 64;
    std::chrono::microseconds first_delay{0};
    std::chrono::microseconds gap{0};
    std::vector<ScriptedReply> replies = {};
};

/// Reads YAML (and so JSON):
///
///     tokens: 64
///     first_ms: 200
///     gap_ms: 20
///     replies:
///       - when: {message: weather, any_message: "", model: gpt, times: 1}
///         text: It is sunny.
///         tool_calls: [{id: call_1, name: look_up, arguments: {city: Rome}}]
///       - status: 429
///         headers: {Retry-After: 1}
///         body: {error: {message: slow down}}
///
/// Other keys of a reply: reasoning, finish_reason, usage, tokens, first_ms, gap_ms, hang,
/// disconnect_after, hang_after, done, slice, content_type. Unknown keys are errors.
[[nodiscard]] Result<Script> parse_script(std::string_view text);

}  // namespace flowspan::model_server
