#include "model/demo.hpp"

#include "flowspan/base/text.hpp"
#include "model/schema_instance.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace flowspan::model {

namespace {

constexpr std::size_t kEchoLengthMax = 200;  // code points

std::string_view text_of(const ChatMessage& message) {
    for (const auto& part : message.parts) {
        if (part.kind == ContentPart::Kind::text) {
            return part.text;
        }
    }
    return message.text;
}

std::string_view last_user_text(const ChatRequest& request) {
    for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
        if (message->role == "user" && !text_of(*message).empty()) {
            return text_of(*message);
        }
    }
    return request.messages.empty() ? std::string_view() : text_of(request.messages.back());
}

// About four characters a token, as English text has it.
std::int64_t count_tokens(std::string_view text) {
    return static_cast<std::int64_t>((count_code_points(text) + 3) / 4);
}

std::string make_text(const ChatRequest& request) {
    if (request.response_schema) {
        return to_json_text(make_schema_instance(*request.response_schema));
    }
    const auto asked = trim(last_user_text(request));
    const auto echo = code_point_prefix(asked, kEchoLengthMax);
    std::string text = "[demo model] No model is configured, so this is a canned answer to: ";
    text += echo;
    if (echo.size() < asked.size()) {
        text += " …";
    }
    return text;
}

bool has_called_tool(const ChatRequest& request) {
    return std::ranges::any_of(request.messages, [](const ChatMessage& message) {
        return message.role == "tool";
    });
}

void stream_words(std::string_view text, ChatListener& listener, StreamTiming& timing) {
    while (!text.empty()) {
        const auto space = text.find(' ', 1);
        const auto piece = text.substr(0, space);
        listener.on_text(piece);
        ++timing.chunk_count;
        text.remove_prefix(piece.size());
    }
}

class DemoModel final : public ChatModel {
public:
    explicit DemoModel(const Clock& clock) : clock_(clock) {}

    Task<Result<ChatReply>> chat(const ChatRequest& request, ChatListener& listener) override {
        const auto started = clock_.steady_now();
        // A model call is a wait everywhere else, so give others their turn here too.
        co_await async::yield_now();
        ChatReply reply;
        for (const auto& message : request.messages) {
            reply.usage.prompt_tokens += count_tokens(text_of(message));
        }
        if (!request.tools.empty() && !has_called_tool(request)) {
            const auto& tool = request.tools.front();
            reply.tool_calls.push_back(
                {"call_demo_1", tool.name, to_json_text(make_schema_instance(tool.parameters))}
            );
            reply.finish_reason = "tool_calls";
            reply.usage.completion_tokens = count_tokens(reply.tool_calls.front().arguments);
        } else {
            reply.text = make_text(request);
            stream_words(reply.text, listener, reply.timing);
            reply.finish_reason = "stop";
            reply.usage.completion_tokens = count_tokens(reply.text);
        }
        reply.response_id = "demo";
        reply.response_model = "demo";
        reply.usage.latency = std::chrono::duration<double>(clock_.steady_now() - started).count();
        co_return reply;
    }

    ModelFeatures features(const ModelRef& /*model*/) const override {
        ModelFeatures features;
        features.structured_output = true;
        return features;
    }

    EndpointFacts endpoint(const ModelRef& /*model*/) const override {
        return {"flowspan.demo", "", 0};
    }

private:
    const Clock& clock_;
};

}  // namespace

std::unique_ptr<ChatModel> make_demo_model(const Clock& clock) {
    return std::make_unique<DemoModel>(clock);
}

}  // namespace flowspan::model
