#include "model/openai_reply.hpp"

#include "flowspan/base/text.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace flowspan::model {

namespace {

constexpr std::size_t kToolCallsMax = 128;
constexpr std::size_t kTextBytesMax = 64UL * 1024 * 1024;
constexpr std::size_t kDetailBytesMax = 2000;

/// Half of a surrogate pair, alone in an escape, is no JSON text for the parser; some servers cut
/// pairs in two. Each becomes U+FFFD.
std::string replace_lone_surrogates(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    const auto unit_at = [text](std::size_t at) -> unsigned {
        if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') {
            return 0;
        }
        unsigned unit = 0;
        for (std::size_t i = at + 2; i < at + 6; ++i) {
            const auto c = static_cast<unsigned char>(text[i]);
            const auto low = static_cast<unsigned>(c | 0x20U);
            const unsigned digit = c <= '9' ? c - '0' : low - 'a' + 10U;
            unit = unit * 16U + (digit & 0xFU);
        }
        return unit;
    };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned unit = unit_at(i);
        const bool is_high = (unit & 0xFC00U) == 0xD800U;
        if (is_high && (unit_at(i + 6) & 0xFC00U) == 0xDC00U) {
            out.append(text.substr(i, 12));
            i += 12;
        } else if ((unit & 0xF800U) == 0xD800U) {
            out.append("\\ufffd");
            i += 6;
        } else {
            // An escaped backslash must not be taken for the start of the next escape.
            const std::size_t size =
                text[i] == '\\' ? std::min<std::size_t>(2, text.size() - i) : 1;
            out.append(text.substr(i, size));
            i += size;
        }
    }
    return out;
}

std::int64_t count_member(const json::value& object, std::string_view key) {
    const auto* member = find_member(object, key);
    return member != nullptr && member->is_int64() ? std::max<std::int64_t>(member->get_int64(), 0)
                                                   : 0;
}

std::int64_t nested_count(
    const json::value& object, std::string_view outer, std::string_view inner
) {
    const auto* nested = find_member(object, outer);
    return nested == nullptr ? 0 : count_member(*nested, inner);
}

std::string provider_words(const json::value& body) {
    const auto* error = find_member(body, "error");
    if (error == nullptr) {
        for (const auto* key : {"message", "detail", "msg"}) {
            if (const auto text = string_member(body, key); !text.empty()) {
                return std::string(text);
            }
        }
        return {};
    }
    if (error->is_string()) {
        return std::string(string_or_empty(*error));
    }
    return std::string(string_member(*error, "message"));
}

std::string provider_code(const json::value& body) {
    const auto* error = find_member(body, "error");
    if (error == nullptr) {
        return {};
    }
    const auto code = string_member(*error, "code");
    return std::string(code.empty() ? string_member(*error, "type") : code);
}

/// Text inside a JSON string literal that stands for itself.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
               c != '"' && c != '\\';
    });
}

}  // namespace

bool OpenAiReply::add_chunk(std::string_view data, SteadyTime now) {
    if (take_repeated(data, now)) {
        return true;
    }
    if (trim(data) == "[DONE]") {
        is_done_ = true;
        return true;
    }
    return add_document(data, false, now);
}

bool OpenAiReply::add_whole(std::string_view body, SteadyTime now) {
    if (!add_document(body, true, now)) {
        return false;
    }
    is_done_ = true;
    return true;
}

// The chunks of one stream differ in their text only. Text between the same bytes as in a chunk
// that was parsed, and free of quotes and escapes, gives the same document but for that text.
bool OpenAiReply::take_repeated(std::string_view data, SteadyTime now) {
    const std::string_view frame = frame_;
    if (frame.empty() || data.size() <= frame.size()) {
        return false;
    }
    const auto head = frame.substr(0, frame_head_);
    const auto tail = frame.substr(frame_head_);
    if (!data.starts_with(head) || !data.ends_with(tail)) {
        return false;
    }
    const auto text = data.substr(head.size(), data.size() - frame.size());
    if (!is_plain(text)) {
        return false;
    }
    add_text(text, now);
    return !error_;
}

void OpenAiReply::learn_frame(std::string_view data, std::string_view content) {
    frame_.clear();
    if (content.empty() || !is_plain(content)) {
        return;
    }
    constexpr std::string_view kKey = "\"content\":";
    const auto key = data.find(kKey);
    if (key == std::string_view::npos || data.find(kKey, key + 1) != std::string_view::npos) {
        return;
    }
    const auto quote = data.find_first_not_of(' ', key + kKey.size());
    if (quote == std::string_view::npos || data[quote] != '"' ||
        data.substr(quote + 1, content.size()) != content ||
        data.substr(quote + 1 + content.size(), 1) != "\"") {
        return;
    }
    frame_head_ = quote + 1;
    frame_.append(data.substr(0, frame_head_)).append(data.substr(frame_head_ + content.size()));
}

bool OpenAiReply::add_document(std::string_view text, bool is_whole, SteadyTime now) {
    // A chunk is small, lives for this call, and comes hundreds of thousands of times a second.
    std::array<unsigned char, 4096> memory;
    std::array<unsigned char, 1024> stack;
    json::monotonic_resource resource(memory.data(), memory.size());
    json::parse_options options;
    options.max_depth = kJsonDepthMax;
    json::parser parser({}, options, stack.data(), stack.size());
    boost::system::error_code code;
    parser.reset(&resource);
    parser.write(text, code);
    std::string repaired;
    if (code) {
        repaired = replace_lone_surrogates(to_valid_utf8(text));
        parser.reset(&resource);
        parser.write(repaired, code);
    }
    if (code) {
        return fail(
            ErrorCode::remote_failure,
            "the model's answer is not the JSON that the chat protocol asks for",
            text
        );
    }
    const auto value = parser.release();
    if (!value.is_object()) {
        return fail(
            ErrorCode::remote_failure, "the model's answer is JSON, but no chat completion", text
        );
    }
    const auto text_before = reply_.text.size();
    const auto chunks_before = reply_.timing.chunk_count;
    if (!add_object(value.get_object(), is_whole, now)) {
        return false;
    }
    // Everything else that such a chunk may hold (ids, usage) is the same when it comes again.
    const bool is_text_only =
        !is_whole && !reply_.finish_reason && reply_.timing.chunk_count == chunks_before + 1;
    if (is_text_only) {
        learn_frame(text, std::string_view(reply_.text).substr(text_before));
    }
    return true;
}

bool OpenAiReply::add_object(const json::object& chunk, bool is_whole, SteadyTime now) {
    const auto* failure_text = chunk.if_contains("error");
    if (failure_text != nullptr && !failure_text->is_null()) {
        return fail(
            ErrorCode::remote_failure,
            "the model's provider reports an error in its answer",
            provider_words(json::value(chunk))
        );
    }
    const auto copy_text = [&chunk](std::string_view key, std::string& into) {
        const auto* member = chunk.if_contains(key);
        if (into.empty() && member != nullptr) {
            into = string_or_empty(*member);
        }
    };
    copy_text("id", reply_.response_id);
    copy_text("model", reply_.response_model);
    if (const auto* usage = chunk.if_contains("usage")) {
        add_usage(*usage);
    }
    const auto* choices = chunk.if_contains("choices");
    if (choices == nullptr || !choices->is_array()) {
        // Chunks with usage or provider extras only are fine; a whole reply without choices is not.
        if (is_whole) {
            return fail(
                ErrorCode::remote_failure, "the model's answer has no choices", to_json_text(chunk)
            );
        }
        return true;
    }
    for (const auto& choice : choices->get_array()) {
        if (choice.is_object() && count_member(choice, "index") == 0) {
            add_choice(choice.get_object(), is_whole, now);
            break;
        }
    }
    return !error_;
}

void OpenAiReply::add_choice(const json::object& choice, bool is_whole, SteadyTime now) {
    const auto* message = choice.if_contains("delta");
    if (message == nullptr || !message->is_object()) {
        message = choice.if_contains("message");
    }
    if (message != nullptr && message->is_object()) {
        add_message(message->get_object(), now);
    } else if (const auto* text = choice.if_contains("text")) {
        add_text(string_or_empty(*text), now);
    }
    if (const auto* usage = choice.if_contains("usage")) {
        add_usage(*usage);
    }
    const auto* reason = choice.if_contains("finish_reason");
    if (!reply_.finish_reason && reason != nullptr && reason->is_string() &&
        !reason->get_string().empty()) {
        reply_.finish_reason = std::string(reason->get_string());
    }
    if (is_whole && !reply_.finish_reason) {
        is_done_ = true;
    }
}

void OpenAiReply::add_message(const json::object& message, SteadyTime now) {
    // Providers call it one or the other; never both in one stream.
    for (const auto* key : {"reasoning_content", "reasoning"}) {
        const auto* reasoning = message.if_contains(key);
        if (reasoning != nullptr && reasoning->is_string()) {
            add_reasoning(reasoning->get_string(), now);
            break;
        }
    }
    if (const auto* content = message.if_contains("content")) {
        add_content(*content, now);
    }
    if (const auto* refusal = message.if_contains("refusal")) {
        add_text(string_or_empty(*refusal), now);
    }
    const auto* calls = message.if_contains("tool_calls");
    if (calls != nullptr && calls->is_array()) {
        add_tool_calls(calls->get_array(), now);
    }
}

void OpenAiReply::add_content(const json::value& content, SteadyTime now) {
    if (content.is_string()) {
        add_text(content.get_string(), now);
    } else if (content.is_array()) {
        for (const auto& part : content.get_array()) {
            add_text(string_member(part, "text"), now);
        }
    }
}

void OpenAiReply::add_tool_calls(const json::array& calls, SteadyTime now) {
    std::size_t position = 0;
    for (const auto& delta : calls) {
        const auto* given = find_member(delta, "index");
        const auto index =
            given != nullptr && given->is_int64()
                ? static_cast<std::size_t>(std::max<std::int64_t>(given->get_int64(), 0))
                : position;
        ++position;
        if (index >= kToolCallsMax) {
            fail(ErrorCode::limit_exceeded, "the model calls more than 128 tools at once", {});
            return;
        }
        if (reply_.tool_calls.size() <= index) {
            reply_.tool_calls.resize(index + 1);
        }
        auto& call = reply_.tool_calls[index];
        if (const auto id = string_member(delta, "id"); !id.empty()) {
            call.id = id;
        }
        if (const auto* function = find_member(delta, "function")) {
            // Some servers repeat the name with every delta, none sends it in pieces.
            if (call.name.empty()) {
                call.name = string_member(*function, "name");
            }
            const auto* arguments = find_member(*function, "arguments");
            if (arguments != nullptr && arguments->is_object()) {
                call.arguments = to_json_text(*arguments);
            } else {
                call.arguments += string_member(*function, "arguments");
            }
            if (call.arguments.size() > kTextBytesMax) {
                fail(ErrorCode::limit_exceeded, "the model's tool call is too large", {});
                return;
            }
        }
    }
    if (!calls.empty()) {
        count_chunk(now);
    }
}

void OpenAiReply::add_usage(const json::value& usage) {
    if (!usage.is_object()) {
        return;
    }
    auto& sum = reply_.usage;
    sum.prompt_tokens = count_member(usage, "prompt_tokens");
    sum.completion_tokens = count_member(usage, "completion_tokens");
    sum.cached_tokens = std::max(
        nested_count(usage, "prompt_tokens_details", "cached_tokens"),
        count_member(usage, "prompt_cache_hit_tokens")
    );
    sum.reasoning_tokens = nested_count(usage, "completion_tokens_details", "reasoning_tokens");
}

void OpenAiReply::add_text(std::string_view piece, SteadyTime now) {
    if (piece.empty()) {
        return;
    }
    if (reply_.text.size() + piece.size() > kTextBytesMax) {
        fail(ErrorCode::limit_exceeded, "the model's answer is longer than 64 MiB", {});
        return;
    }
    count_chunk(now);
    reply_.text.append(piece);
    listener_.on_text(piece);
}

void OpenAiReply::add_reasoning(std::string_view piece, SteadyTime now) {
    if (piece.empty()) {
        return;
    }
    if (reply_.reasoning.size() + piece.size() > kTextBytesMax) {
        fail(ErrorCode::limit_exceeded, "the model's reasoning is longer than 64 MiB", {});
        return;
    }
    count_chunk(now);
    reply_.reasoning.append(piece);
    listener_.on_reasoning(piece);
}

void OpenAiReply::count_chunk(SteadyTime now) {
    auto& timing = reply_.timing;
    if (!first_content_) {
        first_content_ = now;
    } else {
        const double gap = std::chrono::duration<double>(now - last_content_).count();
        timing.chunk_gap_max = std::max(timing.chunk_gap_max, gap);
    }
    last_content_ = now;
    ++timing.chunk_count;
}

ChatReply OpenAiReply::take() {
    auto& timing = reply_.timing;
    if (timing.chunk_count > 1) {
        timing.chunk_gap_mean =
            std::chrono::duration<double>(last_content_ - *first_content_).count() /
            static_cast<double>(timing.chunk_count - 1);
    }
    // Holes come from servers that number their calls oddly.
    std::erase_if(reply_.tool_calls, [](const ToolCall& call) { return call.name.empty(); });
    return std::move(reply_);
}

bool OpenAiReply::fail(ErrorCode code, std::string message, std::string_view detail) {
    error_.emplace(Error(code, std::move(message))
                       .with_detail(to_valid_utf8(utf8_prefix(detail, kDetailBytesMax))));
    return false;
}

ProviderError read_provider_error(std::string_view body) {
    ProviderError error;
    auto parsed = parse_json(body);
    // One provider wraps the object in a list.
    if (parsed && parsed->is_array() && !parsed->get_array().empty()) {
        parsed = json::value(parsed->get_array().front());
    }
    if (parsed) {
        error.words = provider_words(*parsed);
        error.code = provider_code(*parsed);
    }
    if (error.words.empty()) {
        error.words = to_valid_utf8(utf8_prefix(trim(body), kDetailBytesMax));
    }
    return error;
}

}  // namespace flowspan::model
