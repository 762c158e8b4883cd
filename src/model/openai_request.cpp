#include "model/openai_request.hpp"

#include <utility>

namespace flowspan::model {

namespace {

json::object to_part(const ContentPart& part) {
    switch (part.kind) {
        case ContentPart::Kind::text:
            return {{"type", "text"}, {"text", part.text}};
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
                {"input_audio", json::object{{"data", part.url}, {"format", part.format}}},
            };
        case ContentPart::Kind::video:
            return {{"type", "video_url"}, {"video_url", json::object{{"url", part.url}}}};
        case ContentPart::Kind::document:
            return {
                {"type", "file"},
                {"file", json::object{{"filename", part.filename}, {"file_data", part.url}}},
            };
    }
    return {};
}

json::object to_message(const ChatMessage& message) {
    json::object object{{"role", message.role}};
    if (message.parts.empty()) {
        object["content"] = message.text;
    } else {
        json::array parts;
        for (const auto& part : message.parts) {
            parts.push_back(to_part(part));
        }
        object["content"] = std::move(parts);
    }
    if (!message.tool_calls.empty()) {
        json::array calls;
        for (const auto& call : message.tool_calls) {
            calls.push_back(json::object{
                {"id", call.id},
                {"type", "function"},
                {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}},
            });
        }
        object["tool_calls"] = std::move(calls);
    }
    if (!message.tool_call_id.empty()) {
        object["tool_call_id"] = message.tool_call_id;
    }
    return object;
}

json::object json_schema_format(json::value schema) {
    return {
        {"type", "json_schema"},
        {"json_schema", json::object{{"name", "llm_response"}, {"schema", std::move(schema)}}},
    };
}

// The app file has `response_format: json_object` and, beside it, `json_schema: "<JSON text>"`.
void add_response_format(json::object& body, const ChatRequest& request) {
    if (request.response_schema) {
        body["response_format"] = json_schema_format(*request.response_schema);
        return;
    }
    const auto* format = request.parameters.if_contains("response_format");
    if (format == nullptr || !format->is_string()) {
        return;
    }
    const auto type = std::string_view(format->get_string());
    const auto* schema = request.parameters.if_contains("json_schema");
    if (type == "json_schema" && schema != nullptr && schema->is_string()) {
        if (auto parsed = parse_json(schema->get_string()); parsed && parsed->is_object()) {
            const bool is_wrapped = parsed->get_object().contains("schema");
            body["response_format"] =
                is_wrapped ? json::object{{"type", "json_schema"}, {"json_schema", *parsed}}
                           : json_schema_format(*std::move(parsed));
            return;
        }
    }
    body["response_format"] = json::object{{"type", type == "JSON" ? "json_object" : type}};
}

void add_parameters(json::object& body, const ChatRequest& request) {
    for (const auto& parameter : request.parameters) {
        const auto key = std::string_view(parameter.key());
        const bool is_special = key == "response_format" || key == "json_schema" || key == "stop";
        if (!is_special && !parameter.value().is_null()) {
            body[parameter.key()] = parameter.value();
        }
    }
    add_response_format(body, request);
    if (!request.stop.empty()) {
        body["stop"] = json::array(request.stop.begin(), request.stop.end());
    }
}

}  // namespace

std::string make_openai_body(const ChatRequest& request) {
    json::object body{{"model", request.model.name}};
    if (request.is_completion) {
        std::string prompt;
        for (const auto& message : request.messages) {
            prompt += message.text;
        }
        body["prompt"] = std::move(prompt);
    } else {
        json::array messages;
        for (const auto& message : request.messages) {
            messages.push_back(to_message(message));
        }
        body["messages"] = std::move(messages);
    }
    add_parameters(body, request);
    if (!request.tools.empty()) {
        json::array tools;
        for (const auto& tool : request.tools) {
            tools.push_back(json::object{
                {"type", "function"},
                {"function",
                 json::object{
                     {"name", tool.name},
                     {"description", tool.description},
                     {"parameters", tool.parameters},
                 }},
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
