#pragma once
// The chat interface: what nodes and agents call, whatever protocol is behind it.

#include "flowspan/async/task.hpp"
#include "flowspan/base/json.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::model {

/// Which model an app asks for, as its file names it.
struct ModelRef {
    std::string provider = {};  ///< `openai`, or `langgenius/openai/openai`
    std::string name = {};
    bool operator==(const ModelRef&) const = default;
};

/// One piece of a message that is not plain text: a file given by URL or as base64 data.
struct ContentPart {
    enum class Kind : std::uint8_t { text, image, audio, video, document };

    Kind kind = Kind::text;
    std::string text = {};    ///< for text
    std::string url = {};     ///< http(s) or data URL
    std::string format = {};  ///< extension without dot
    std::string mime_type = {};
    std::string filename = {};
    std::string detail = {};  ///< images: `low` or `high`
};

struct ToolCall {
    std::string id = {};
    std::string name = {};
    std::string arguments = {};  ///< JSON text as the model wrote it
};

struct ChatMessage {
    std::string role = {};  ///< `system`, `user`, `assistant` or `tool`
    std::string text = {};
    std::vector<ContentPart> parts = {};  ///< if not empty, the content; `text` is empty then
    std::vector<ToolCall> tool_calls = {};
    std::string tool_call_id = {};
};

struct ToolDefinition {
    std::string name = {};
    std::string description = {};
    json::value parameters = {};  ///< JSON schema
};

struct ChatRequest {
    ModelRef model;
    std::vector<ChatMessage> messages = {};
    json::object parameters = {
    };  ///< completion params of the app file (temperature, max_tokens, ...)
    std::vector<std::string> stop = {};
    std::vector<ToolDefinition> tools = {};
    std::optional<json::value> response_schema = {};  ///< JSON schema for structured output
    bool is_completion = false;                       ///< plain text completion instead of chat
    std::string user = {};  ///< opaque end-user id sent to the provider; may be empty
};

/// Tokens, prices (USD unless `currency` says otherwise) and times (seconds) of one call.
struct Usage {
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t cached_tokens = 0;     ///< part of prompt_tokens
    std::int64_t reasoning_tokens = 0;  ///< part of completion_tokens
    double prompt_unit_price = 0;       ///< per token
    double completion_unit_price = 0;   ///< per token
    std::string currency = "USD";
    double latency = 0;
    double time_to_first_token = 0;
    double time_to_generate = 0;

    [[nodiscard]] std::int64_t total_tokens() const noexcept {
        return prompt_tokens + completion_tokens;
    }

    [[nodiscard]] double total_price() const noexcept {
        return static_cast<double>(prompt_tokens) * prompt_unit_price +
               static_cast<double>(completion_tokens) * completion_unit_price;
    }

    /// Sums as the original does: empty + b is b; otherwise counts and latency add up and unit
    /// prices and the other times come from b.
    void add(const Usage& other);

    /// The `usage` output of model nodes, all keys always present (nodes page, section 25).
    [[nodiscard]] json::object to_json() const;
};

/// How the chunks of a streamed reply came in.
struct StreamTiming {
    std::int64_t chunk_count = 0;
    double chunk_gap_max = 0;   ///< seconds
    double chunk_gap_mean = 0;  ///< seconds
};

struct ChatReply {
    std::string text = {};       ///< everything that was streamed
    std::string reasoning = {};  ///< from providers that send it apart from the text
    std::vector<ToolCall> tool_calls = {};
    Usage usage;
    std::optional<std::string> finish_reason = {};
    std::string response_id = {};
    std::string response_model = {};
    StreamTiming timing;
    std::int64_t attempts = 1;  ///< HTTP attempts including retries on 429 and 5xx
};

class BrokenOffWatch;

/// Receives a reply while it is generated, on the caller's loop and in the caller's task: the
/// pieces are the reply's text and reasoning, or there are none. Must not wait. For one call at a
/// time.
class ChatListener {
public:
    virtual ~ChatListener() = default;
    virtual void on_text(std::string_view piece) = 0;

    virtual void on_reasoning(std::string_view /*piece*/) {}

    /// There will be no reply: the call failed, or was cancelled. What came of it; called last, if
    /// anything was sent.
    virtual void on_broken_off(const ChatReply& partial);

private:
    friend class BrokenOffWatch;
    BrokenOffWatch* watch_ = nullptr;
};

/// Told as well when a call breaks off, while it exists. A listener that passes everything on would
/// do the same, but every piece would go through one more hand: with thousands of open streams, one
/// more wait for memory. Watches of one listener are made and go in a nested order.
class BrokenOffWatch {
public:
    explicit BrokenOffWatch(ChatListener& listener)
        : listener_(listener), outer_(std::exchange(listener.watch_, this)) {}

    virtual ~BrokenOffWatch() { listener_.watch_ = outer_; }

    BrokenOffWatch(const BrokenOffWatch&) = delete;
    BrokenOffWatch& operator=(const BrokenOffWatch&) = delete;

    void tell(const ChatReply& partial) {
        on_broken_off(partial);
        if (outer_ != nullptr) {
            outer_->tell(partial);
        }
    }

private:
    virtual void on_broken_off(const ChatReply& partial) = 0;

    ChatListener& listener_;
    BrokenOffWatch* outer_;
};

inline void ChatListener::on_broken_off(const ChatReply& partial) {
    if (watch_ != nullptr) {
        watch_->tell(partial);
    }
}

/// What a model can do beyond chat, as configured.
struct ModelFeatures {
    bool tool_call = true;
    bool vision = true;
    bool document = false;
    bool audio = false;
    bool video = false;
    bool structured_output = false;  ///< takes a JSON schema natively
    std::optional<std::int64_t> context_size = {};
};

/// Where a model's calls go, for spans.
struct EndpointFacts {
    std::string provider_name = {};  ///< as GenAI conventions name it, for example `openai`
    std::string server_address = {};
    std::int64_t server_port = 0;
};

/// Safe to call from any task on any loop; implementations keep no per-call state.
class ChatModel {
public:
    virtual ~ChatModel() = default;

    /// Streams the reply through `listener` and returns it whole. `request` and `listener` must
    /// outlive the task. Errors: `unauthorized`, `rate_limited`, `remote_failure` (detail: the
    /// provider's words), `unavailable`, `timeout`, `not_found` (no endpoint for the model).
    [[nodiscard]] virtual Task<Result<ChatReply>> chat(
        const ChatRequest& request, ChatListener& listener
    ) = 0;

    [[nodiscard]] virtual ModelFeatures features(const ModelRef& model) const = 0;
    [[nodiscard]] virtual EndpointFacts endpoint(const ModelRef& model) const = 0;
};

}  // namespace flowspan::model
