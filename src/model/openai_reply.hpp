#pragma once
// Puts a reply together from the OpenAI protocol's JSON, streamed or whole. A machine without I/O.

#include "flowspan/base/clock.hpp"
#include "model/chat_model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowspan::model {

/// Reads chunks in order and hands text on to the listener as it comes. After an error nothing more
/// is to be added.
class OpenAiReply {
public:
    explicit OpenAiReply(ChatListener& listener) : listener_(listener) {}

    /// The data of one event, received at `now`. False: see error().
    [[nodiscard]] bool add_chunk(std::string_view data, SteadyTime now);

    /// The body of a reply that was not streamed.
    [[nodiscard]] bool add_whole(std::string_view body, SteadyTime now);

    /// The stream said that it is complete: a finish reason or `[DONE]`.
    [[nodiscard]] bool is_complete() const noexcept {
        return is_done_ || reply_.finish_reason.has_value();
    }

    /// `[DONE]` was seen, so nothing follows.
    [[nodiscard]] bool is_done() const noexcept { return is_done_; }

    /// Something has been handed to the listener, so the call cannot be made again unnoticed.
    [[nodiscard]] bool has_content() const noexcept { return first_content_.has_value(); }

    [[nodiscard]] std::int64_t chunk_count() const noexcept { return reply_.timing.chunk_count; }

    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

    /// When the first content came.
    [[nodiscard]] std::optional<SteadyTime> first_content() const noexcept {
        return first_content_;
    }

    /// Ends the assembly.
    [[nodiscard]] ChatReply take();

private:
    bool add_document(std::string_view text, bool is_whole, SteadyTime now);
    bool take_repeated(std::string_view data, SteadyTime now);
    void learn_frame(std::string_view data, std::string_view content);
    bool add_object(const json::object& chunk, bool is_whole, SteadyTime now);
    void add_choice(const json::object& choice, bool is_whole, SteadyTime now);
    void add_message(const json::object& message, SteadyTime now);
    void add_content(const json::value& content, SteadyTime now);
    void add_tool_calls(const json::array& calls, SteadyTime now);
    void add_usage(const json::value& usage);
    void add_text(std::string_view piece, SteadyTime now);
    void add_reasoning(std::string_view piece, SteadyTime now);
    void count_chunk(SteadyTime now);
    bool fail(ErrorCode code, std::string message, std::string_view detail);

    ChatListener& listener_;
    ChatReply reply_;
    std::optional<Error> error_;
    std::optional<SteadyTime> first_content_;
    SteadyTime last_content_;
    bool is_done_ = false;
    // What stood before and behind the text of the last chunk that held only text.
    std::string frame_;
    std::size_t frame_head_ = 0;
};

/// What an error reply's body says, for Error::detail: the provider's words if the body has the
/// usual form, else the body itself, cut short.
struct ProviderError {
    std::string words;
    std::string code;  ///< for example `insufficient_quota`; may be empty
};

[[nodiscard]] ProviderError read_provider_error(std::string_view body);

}  // namespace flowspan::model
