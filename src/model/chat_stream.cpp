#include "model/chat_stream.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::model {

namespace {

constexpr std::size_t kBufferBytes = 2048;  // a chunk's parsed form; larger ones use the heap
constexpr std::size_t kExcerptBytes = 200;

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

std::int64_t integer_member(const json::object& object, std::string_view key) {
    const auto* member = object.if_contains(key);
    if (member == nullptr || !member->is_number()) {
        return 0;
    }
    return member->is_double() ? static_cast<std::int64_t>(member->get_double())
                               : member->to_number<std::int64_t>();
}

std::int64_t nested_integer(
    const json::object& object, std::string_view outer, std::string_view key
) {
    const auto* member = object.if_contains(outer);
    return member == nullptr || !member->is_object() ? 0
                                                     : integer_member(member->get_object(), key);
}

}  // namespace

ChatStream::ChatStream(ChatListener& listener, const Clock& clock, SteadyTime started)
    : listener_(listener), clock_(clock), started_(started), last_(started) {}

bool ChatStream::take_chunk(std::string_view text) {
    return take(text, "delta");
}

bool ChatStream::take_whole(std::string_view text) {
    is_done_ = take(text, "message");
    return is_done_;
}

bool ChatStream::take(std::string_view text, std::string_view message_key) {
    if (!buffer_) {
        buffer_ = std::make_unique_for_overwrite<unsigned char[]>(kBufferBytes);
    }
    json::monotonic_resource resource(buffer_.get(), kBufferBytes);
    json::parse_options options;
    options.max_depth = kJsonDepthMax;
    json::parser parser(&resource, options);
    boost::system::error_code code;
    parser.write(text, code);
    if (code) {
        problem_ =
            Error(
                ErrorCode::remote_failure, "the model's endpoint answered something that is no JSON"
            )
                .with_detail(std::string(utf8_prefix(text, kExcerptBytes)));
        return false;
    }
    const json::value chunk = parser.release();
    if (!chunk.is_object()) {
        problem_ = Error(
                       ErrorCode::remote_failure,
                       "the model's endpoint answered JSON that is no completion"
        )
                       .with_detail(std::string(utf8_prefix(text, kExcerptBytes)));
        return false;
    }
    const auto& object = chunk.get_object();
    if (const auto* error = object.if_contains("error"); error != nullptr && !error->is_null()) {
        problem_ =
            Error(ErrorCode::remote_failure, "the model's endpoint reported an error in its reply")
                .with_detail(
                    error->is_string() ? std::string(error->get_string())
                                       : std::string(string_member(*error, "message", "no message"))
                );
        return false;
    }
    if (reply_.response_id.empty()) {
        reply_.response_id = string_member(chunk, "id");
        reply_.response_model = string_member(chunk, "model");
    }
    if (const auto* usage = object.if_contains("usage"); usage != nullptr && usage->is_object()) {
        take_usage(usage->get_object());
    }
    const auto* choices = object.if_contains("choices");
    if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) {
        return true;  // the chunk with the usage has no choice
    }
    return take_choice(choices->get_array().front(), message_key);
}

bool ChatStream::take_choice(const json::value& choice, std::string_view message_key) {
    if (!choice.is_object()) {
        return true;
    }
    if (const auto* message = find_member(choice, message_key);
        message != nullptr && message->is_object()) {
        take_message(message->get_object());
    } else if (const auto text = string_member(choice, "text"); !text.empty()) {
        take_text(text);
    }
    if (const auto reason = string_member(choice, "finish_reason"); !reason.empty()) {
        reply_.finish_reason = reason;
    }
    return true;
}

void ChatStream::take_message(const json::object& message) {
    for (const auto* key : {"reasoning_content", "reasoning"}) {
        if (const auto* reasoning = message.if_contains(key);
            reasoning != nullptr && reasoning->is_string()) {
            take_reasoning(reasoning->get_string());
            break;
        }
    }
    if (const auto* content = message.if_contains("content");
        content != nullptr && content->is_string()) {
        take_text(content->get_string());
    }
    if (const auto* calls = message.if_contains("tool_calls");
        calls != nullptr && calls->is_array()) {
        take_tool_calls(calls->get_array());
    }
}

void ChatStream::note_time() {
    const auto now = clock_.steady_now();
    if (!first_) {
        first_ = now;
    } else {
        reply_.timing.chunk_gap_max = std::max(reply_.timing.chunk_gap_max, seconds(now - last_));
    }
    last_ = now;
    ++reply_.timing.chunk_count;
}

void ChatStream::take_text(std::string_view text) {
    if (text.empty()) {
        return;
    }
    note_time();
    reply_.text.append(text);
    listener_.on_text(text);
}

void ChatStream::take_reasoning(std::string_view text) {
    if (text.empty()) {
        return;
    }
    note_time();
    reply_.reasoning.append(text);
    listener_.on_reasoning(text);
}

void ChatStream::take_tool_calls(const json::array& calls) {
    constexpr std::size_t kCallsMax = 128;
    note_time();
    for (const auto& piece : calls) {
        if (!piece.is_object()) {
            continue;
        }
        // Pieces of one call share its index; whole replies have none.
        const auto* index = piece.get_object().if_contains("index");
        const auto at = index != nullptr && index->is_int64() && index->get_int64() >= 0
                            ? static_cast<std::size_t>(index->get_int64())
                            : reply_.tool_calls.size();
        if (at >= kCallsMax) {
            continue;
        }
        if (at >= reply_.tool_calls.size()) {
            reply_.tool_calls.resize(at + 1);
        }
        auto& call = reply_.tool_calls[at];
        if (const auto id = string_member(piece, "id"); !id.empty()) {
            call.id = id;
        }
        if (const auto* function = find_member(piece, "function")) {
            call.name.append(string_member(*function, "name"));
            call.arguments.append(string_member(*function, "arguments"));
        }
    }
}

void ChatStream::take_usage(const json::object& usage) {
    has_usage_ = true;
    reply_.usage.prompt_tokens = integer_member(usage, "prompt_tokens");
    reply_.usage.completion_tokens = integer_member(usage, "completion_tokens");
    reply_.usage.cached_tokens = nested_integer(usage, "prompt_tokens_details", "cached_tokens");
    reply_.usage.reasoning_tokens =
        nested_integer(usage, "completion_tokens_details", "reasoning_tokens");
}

ChatReply ChatStream::finish() {
    const auto now = clock_.steady_now();
    auto& usage = reply_.usage;
    usage.latency = seconds(now - started_);
    if (first_) {
        usage.time_to_first_token = seconds(*first_ - started_);
        usage.time_to_generate = seconds(last_ - *first_);
        if (reply_.timing.chunk_count > 1) {
            reply_.timing.chunk_gap_mean =
                usage.time_to_generate / static_cast<double>(reply_.timing.chunk_count - 1);
        }
    }
    return std::move(reply_);
}

}  // namespace flowspan::model
