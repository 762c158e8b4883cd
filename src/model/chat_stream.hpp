#pragma once
// Puts a streamed chat completion together, chunk by chunk; no I/O.

#include "flowspan/base/clock.hpp"
#include "model/chat_model.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flowspan::model {

/// Takes the JSON of each chunk (or of one whole reply) of the OpenAI chat and completion
/// protocols.
class ChatStream {
public:
    /// Both must outlive the stream. Times count from `started`.
    ChatStream(ChatListener& listener, const Clock& clock, SteadyTime started);

    /// False for JSON that is no chunk; see problem().
    bool take_chunk(std::string_view text);
    bool take_whole(std::string_view text);

    /// Marks the protocol's own end (`[DONE]`).
    void mark_done() noexcept { is_done_ = true; }

    /// The reply is complete: an end mark or a finish reason came.
    [[nodiscard]] bool is_complete() const noexcept {
        return is_done_ || reply_.finish_reason.has_value();
    }

    [[nodiscard]] bool has_content() const noexcept { return reply_.timing.chunk_count > 0; }

    [[nodiscard]] const std::optional<Error>& problem() const noexcept { return problem_; }

    /// The reply so far, with its times.
    [[nodiscard]] ChatReply finish();

private:
    bool take(std::string_view text, std::string_view message_key);
    bool take_choice(const json::value& choice, std::string_view message_key);
    void take_message(const json::object& message);
    void take_tool_calls(const json::array& calls);
    void take_usage(const json::object& usage);
    void take_text(std::string_view text);
    void take_reasoning(std::string_view text);
    void note_time();

    ChatListener& listener_;
    const Clock& clock_;
    SteadyTime started_;
    std::optional<SteadyTime> first_;
    SteadyTime last_;
    ChatReply reply_;
    bool has_usage_ = false;
    bool is_done_ = false;
    std::optional<Error> problem_;
    // Chunks are small and many: they are parsed into this buffer, which is rewound each time.
    std::unique_ptr<unsigned char[]> buffer_;
};

}  // namespace flowspan::model
