#include "model/demo.hpp"

#include "flowspan/base/text.hpp"

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

/// The smallest instance of a JSON schema: first enum value, one item, all properties.
json::value make_instance(const json::value& schema, int depth) {
    constexpr int kDepthMax = 16;  // recursive schemas end here
    if (const auto* options = find_member(schema, "enum");
        options != nullptr && options->is_array() && !options->get_array().empty()) {
        return options->get_array().front();
    }
    const auto type = string_member(schema, "type", "object");
    if (type == "string") {
        return "demo";
    }
    if (type == "integer") {
        return 1;
    }
    if (type == "number") {
        return 1.5;
    }
    if (type == "boolean") {
        return true;
    }
    if (type == "null" || depth > kDepthMax) {
        return nullptr;
    }
    if (type == "array") {
        const auto* items = find_member(schema, "items");
        return json::array{
            items == nullptr ? json::value("demo") : make_instance(*items, depth + 1)
        };
    }
    json::object object;
    const auto* properties = find_member(schema, "properties");
    if (properties != nullptr && properties->is_object()) {
        for (const auto& property : properties->get_object()) {
            object[property.key()] = make_instance(property.value(), depth + 1);
        }
    }
    return object;
}

std::string make_text(const ChatRequest& request) {
    if (request.response_schema) {
        return to_json_text(make_instance(*request.response_schema, 0));
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
                {"call_demo_1", tool.name, to_json_text(make_instance(tool.parameters, 0))}
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
