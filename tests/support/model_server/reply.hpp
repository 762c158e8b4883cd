#pragma once
// Replies as bytes that are ready to be sent in steps.

#include "model_server/request.hpp"
#include "model_server/script.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::model_server {

/// Immutable and shared by all connections that get the same answer.
struct Reply {
    std::string bytes;
    /// Step k may be sent up to `ends[k]`; it is due at `first_delay + k * gap` after the request.
    std::vector<std::size_t> ends;
    std::chrono::microseconds first_delay{0};
    std::chrono::microseconds gap{0};
    std::size_t slice = 0;
    enum class End { keep_alive, close, hang } end = End::keep_alive;
};

/// The completion that `scripted` describes, as Server-Sent Events if the request asks for it.
[[nodiscard]] Reply make_completion(
    const Script& script, const ScriptedReply& scripted, const ChatFacts& facts, bool is_chat
);

/// A plain answer in one step.
[[nodiscard]] Reply make_plain(
    int status,
    const std::vector<std::pair<std::string, std::string>>& headers,
    std::string_view content_type,
    std::string_view body
);

}  // namespace flowspan::model_server
