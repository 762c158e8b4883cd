#include "model/openai_request.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace flowspan::model {

namespace {

/// `data:<mime>;base64,<data>` without its head; other URLs unchanged.
std::string_view base64_of(std::string_view url) {
    constexpr std::string_view kMark = ";base64,";
    const auto at = url.find(kMark);
    return url.starts_with("data:") && at != std::string_view::npos ? url.substr(at + kMark.size())
                                                                    : url;
}

json::object make_part(const ContentPart& part) {
    switch (part.kind) {
        case ContentPart::Kind::image: {
            json::object image{{"url", part.url}};
            if (!part.detail.empty()) {
                image["detail"] = part.detail;
            }
            return {{"type", "image_url"}, {"image_url", std::move(image)}};
        }
        case ContentPart::Kind::audio:
            return {
                {"type", "input_audio"},
                {"input_audio", json::object{{"data", base64_of(part.url)}, {"format", part.format}}
                }
            };
        case ContentPart::Kind::video:
            return {{"type", "video_url"}, {"video_url", json::object{{"url", part.url}}}};
        case ContentPart::Kind::document:
            return {
                {"type", "file"},
                {"file", json::object{{"filename", part.filename}, {"file_data", part.url}}}
            };
        case ContentPart::Kind::text:
            break;
    }
    return {{"type", "text"}, {"text", part.text}};
}

json::object make_message(const ChatMessage& message) {
    json::object object{{"role", message.role}};
    if (!message.parts.empty()) {
        json::array parts;
        for (const auto& part : message.parts) {
            parts.emplace_back(make_part(part));
        }
        object["content"] = std::move(parts);
    } else if (message.text.empty() && !message.tool_calls.empty()) {
        object["content"] = nullptr;
    } else {
        object["content"] = message.text;
    }
    if (!message.tool_calls.empty()) {
        json::array calls;
        for (const auto& call : message.tool_calls) {
            calls.emplace_back(json::object{
                {"id", call.id},
                {"type", "function"},
                {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}}
            });
        }
        object["tool_calls"] = std::move(calls);
    }
    if (!message.tool_call_id.empty()) {
        object["tool_call_id"] = message.tool_call_id;
    }
    return object;
}

json::object make_schema_format(const json::value& schema) {
    // App files hold either the bare schema or the protocol's own wrapper around it.
    if (find_member(schema, "schema") != nullptr) {
        return {{"type", "json_schema"}, {"json_schema", schema}};
    }
    return {
        {"type", "json_schema"},
        {"json_schema", json::object{{"name", "response"}, {"schema", schema}}}
    };
}

/// The schema parameter is JSON text in app files.
json::value read_schema(const json::value& parameter) {
    if (!parameter.is_string()) {
        return parameter;
    }
    auto parsed = parse_json(parameter.get_string());
    return parsed ? *std::move(parsed) : json::value();
}

void set_response_format(const ChatRequest& request, json::object& body) {
    if (request.response_schema) {
        body["response_format"] = make_schema_format(*request.response_schema);
        return;
    }
    const auto* format = request.parameters.if_contains("response_format");
    if (format == nullptr || format->is_null()) {
        return;
    }
    if (!format->is_string()) {
        body["response_format"] = *format;
        return;
    }
    const auto name = to_lower_ascii(format->get_string());
    if (name == "json_schema") {
        const auto* parameter = request.parameters.if_contains("json_schema");
        const auto schema = parameter == nullptr ? json::value() : read_schema(*parameter);
        if (schema.is_object()) {
            body["response_format"] = make_schema_format(schema);
        }
    } else if (name.starts_with("json")) {
        body["response_format"] = json::object{{"type", "json_object"}};
    } else if (name == "text") {
        body["response_format"] = json::object{{"type", "text"}};
    }
}

void set_stop(const ChatRequest& request, json::object& body) {
    json::array stop;
    const auto add = [&stop](std::string_view word) {
        if (!word.empty()) {
            stop.emplace_back(word);
        }
    };
    if (const auto* parameter = request.parameters.if_contains("stop")) {
        add(string_or_empty(*parameter));
        if (parameter->is_array()) {
            for (const auto& word : parameter->get_array()) {
                add(string_or_empty(word));
            }
        }
    }
    for (const auto& word : request.stop) {
        if (std::ranges::find(stop, json::value(word)) == stop.end()) {
            add(word);
        }
    }
    if (!stop.empty()) {
        body["stop"] = std::move(stop);
    }
}

void set_parameters(const ChatRequest& request, json::object& body) {
    // Written by us, whatever an app file says.
    static constexpr std::array<std::string_view, 10> kOwn = {
        "model",
        "messages",
        "prompt",
        "stream",
        "stream_options",
        "tools",
        "stop",
        "user",
        "response_format",
        "json_schema"
    };
    for (const auto& [key, value] : request.parameters) {
        if (!value.is_null() && std::ranges::find(kOwn, std::string_view(key)) == kOwn.end()) {
            body[key] = value;
        }
    }
}

std::string prompt_of(const ChatRequest& request) {
    std::string prompt;
    for (const auto& message : request.messages) {
        if (!prompt.empty()) {
            prompt += '\n';
        }
        prompt += message.text;
        for (const auto& part : message.parts) {
            prompt += part.text;
        }
    }
    return prompt;
}

}  // namespace

std::string make_openai_body(const ChatRequest& request) {
    json::object body{{"model", request.model.name}};
    if (request.is_completion) {
        body["prompt"] = prompt_of(request);
    } else {
        json::array messages;
        messages.reserve(request.messages.size());
        for (const auto& message : request.messages) {
            messages.emplace_back(make_message(message));
        }
        body["messages"] = std::move(messages);
    }
    set_parameters(request, body);
    if (!request.is_completion) {
        set_response_format(request, body);
    }
    set_stop(request, body);
    if (!request.tools.empty()) {
        json::array tools;
        for (const auto& tool : request.tools) {
            tools.emplace_back(json::object{
                {"type", "function"},
                {"function",
                 json::object{
                     {"name", tool.name},
                     {"description", tool.description},
                     {"parameters", tool.parameters}
                 }}
            });
        }
        body["tools"] = std::move(tools);
    }
    if (!request.user.empty()) {
        body["user"] = request.user;
    }
    body["stream"] = true;
    body["stream_options"] = json::object{{"include_usage", true}};
    return to_json_text(body);
}

}  // namespace flowspan::model
