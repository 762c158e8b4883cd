#include "observe/message_forms.hpp"

#include "flowspan/trace/capture_policy.hpp"

#include <utility>

namespace flowspan::observe {

namespace {

json::object text_part(std::string_view text) {
    return {{"type", "text"}, {"content", text}};
}

std::string_view modality(model::ContentPart::Kind kind) noexcept {
    switch (kind) {
        case model::ContentPart::Kind::image:
            return "image";
        case model::ContentPart::Kind::audio:
            return "audio";
        case model::ContentPart::Kind::video:
            return "video";
        default:
            return "document";
    }
}

json::object to_part(const model::ContentPart& part) {
    if (part.kind == model::ContentPart::Kind::text) {
        return text_part(part.text);
    }
    const bool is_embedded = part.url.empty() || part.url.starts_with("data:");
    json::object made{{"type", is_embedded ? "file" : "uri"}, {"modality", modality(part.kind)}};
    if (is_embedded) {
        made["file_id"] = part.filename;
    } else {
        made["uri"] = part.url;
    }
    if (!part.mime_type.empty()) {
        made["mime_type"] = part.mime_type;
    }
    return made;
}

json::object to_part(const model::ToolCall& call) {
    json::object made{{"type", "tool_call"}, {"id", call.id}, {"name", call.name}};
    // Any JSON, not a text of JSON; a model's broken JSON stays text.
    auto arguments = parse_json(call.arguments);
    made["arguments"] = arguments ? *std::move(arguments) : json::value(call.arguments);
    return made;
}

json::array to_parts(const model::ChatMessage& message) {
    json::array parts;
    if (message.role == "tool") {
        parts.push_back(json::object{
            {"type", "tool_call_response"}, {"id", message.tool_call_id}, {"response", message.text}
        });
    } else if (!message.text.empty()) {
        parts.push_back(text_part(message.text));
    }
    for (const auto& part : message.parts) {
        parts.push_back(to_part(part));
    }
    for (const auto& call : message.tool_calls) {
        parts.push_back(to_part(call));
    }
    return parts;
}

// Providers say `tool_calls`, the conventions `tool_call`.
std::string_view finish_reason(const model::ChatReply& reply) noexcept {
    if (!reply.finish_reason) {
        return {};
    }
    return *reply.finish_reason == "tool_calls" ? std::string_view("tool_call")
                                                : std::string_view(*reply.finish_reason);
}

}  // namespace

json::array to_message_list(const std::vector<model::ChatMessage>& messages) {
    json::array list;
    for (const auto& message : messages) {
        list.push_back(json::object{{"role", message.role}, {"parts", to_parts(message)}});
    }
    return list;
}

json::array to_message_list(const model::ChatReply& reply) {
    json::array parts;
    if (!reply.reasoning.empty()) {
        parts.push_back(json::object{{"type", "reasoning"}, {"content", reply.reasoning}});
    }
    if (!reply.text.empty() || reply.tool_calls.empty()) {
        parts.push_back(text_part(reply.text));
    }
    for (const auto& call : reply.tool_calls) {
        parts.push_back(to_part(call));
    }
    return {json::object{
        {"role", "assistant"},
        {"parts", std::move(parts)},
        {"finish_reason", finish_reason(reply)},
    }};
}

json::array to_definition_list(const std::vector<model::ToolDefinition>& tools) {
    json::array list;
    for (const auto& tool : tools) {
        json::object definition{{"type", "function"}, {"name", tool.name}};
        if (!tool.description.empty()) {
            definition["description"] = tool.description;
        }
        if (!tool.parameters.is_null()) {
            definition["parameters"] = tool.parameters;
        }
        list.push_back(std::move(definition));
    }
    return list;
}

json::array to_message_list(std::string_view role, std::string_view text) {
    return {json::object{{"role", role}, {"parts", json::array{text_part(text)}}}};
}

std::size_t text_size(const std::vector<model::ChatMessage>& messages) noexcept {
    std::size_t bytes = 0;
    for (const auto& message : messages) {
        bytes += message.text.size();
        for (const auto& part : message.parts) {
            bytes += part.text.size();
        }
    }
    return bytes;
}

std::size_t text_size(const std::vector<model::ToolDefinition>& tools) {
    std::size_t bytes = 0;
    for (const auto& tool : tools) {
        bytes += tool.name.size() + tool.description.size() + trace::content_size(tool.parameters);
    }
    return bytes;
}

std::size_t text_size(const model::ChatReply& reply) noexcept {
    std::size_t bytes = reply.text.size() + reply.reasoning.size();
    for (const auto& call : reply.tool_calls) {
        bytes += call.arguments.size();
    }
    return bytes;
}

}  // namespace flowspan::observe
