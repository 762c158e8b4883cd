#include "tools/tool_reply.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flowspan::tools {

namespace {

const json::array& list_at(const json::value& data, std::string_view key) {
    static const json::array kEmpty;
    const auto* member = find_member(data, key);
    return member != nullptr && member->is_array() ? member->get_array() : kEmpty;
}

FileMessage to_file(const json::value& data) {
    FileMessage file;
    if (value::is_file_record(data)) {
        file.record = data.get_object();
        return file;
    }
    if (data.is_string()) {
        file.url = data.get_string();
        return file;
    }
    file.url = string_member(data, "url");
    file.bytes = string_member(data, "text");
    file.filename = string_member(data, "filename");
    file.mime_type = string_member(data, "mime_type");
    return file;
}

json::value member_or_null(const json::value& data, std::string_view key) {
    const auto* member = find_member(data, key);
    return member == nullptr ? json::value() : *member;
}

void add_message(const json::value& data, ToolReply& reply) {
    const auto type = string_member(data, "type");
    if (type == "text") {
        reply.messages.emplace_back(TextMessage{std::string(string_member(data, "text"))});
    } else if (type == "link") {
        reply.messages.emplace_back(LinkMessage{std::string(string_member(data, "url"))});
    } else if (type == "json") {
        reply.messages.emplace_back(JsonMessage{member_or_null(data, "json")});
    } else if (type == "file") {
        reply.messages.emplace_back(to_file(data));
    } else if (type == "variable") {
        const auto* streamed = find_member(data, "stream");
        reply.messages.emplace_back(VariableMessage{
            std::string(string_member(data, "name")),
            member_or_null(data, "value"),
            streamed != nullptr && value::python_truth(*streamed)
        });
    }
}

bool is_reply_object(const json::object& object) {
    constexpr std::array<std::string_view, 5> kKeys = {
        "text", "json", "files", "links", "variables"
    };
    return !object.empty() && std::ranges::all_of(object, [&](const json::key_value_pair& member) {
        return std::ranges::find(kKeys, std::string_view(member.key())) != kKeys.end();
    });
}

ToolReply read_reply_object(const json::value& data) {
    ToolReply reply;
    if (const auto text = string_member(data, "text"); !text.empty()) {
        reply.messages.emplace_back(TextMessage{std::string(text)});
    }
    for (const auto& link : list_at(data, "links")) {
        reply.messages.emplace_back(LinkMessage{std::string(string_or_empty(link))});
    }
    for (const auto& file : list_at(data, "files")) {
        reply.messages.emplace_back(to_file(file));
    }
    if (const auto* json = find_member(data, "json"); json != nullptr) {
        if (const auto* items = json->if_array()) {
            for (const auto& item : *items) {
                reply.messages.emplace_back(JsonMessage{item});
            }
        } else {
            reply.messages.emplace_back(JsonMessage{*json});
        }
    }
    if (const auto* variables = find_member(data, "variables");
        variables != nullptr && variables->is_object()) {
        for (const auto& variable : variables->get_object()) {
            reply.messages.emplace_back(
                VariableMessage{std::string(variable.key()), variable.value()}
            );
        }
    }
    return reply;
}

struct ModelText {
    std::string operator()(const TextMessage& message) const { return message.text; }

    std::string operator()(const LinkMessage& message) const {
        return fmt::format("result link: {}.", message.url);
    }

    std::string operator()(const JsonMessage& message) const {
        return value::python_json(message.data);
    }

    std::string operator()(const FileMessage& message) const {
        auto name = message.filename;
        if (name.empty()) {
            name = message.url.empty() ? string_member(message.record, "filename")
                                       : std::string_view(message.url);
        }
        return fmt::format("a file was made and given to the user: {}", name);
    }

    std::string operator()(const VariableMessage& message) const {
        return fmt::format("{}: {}", message.name, value::python_str(message.value));
    }
};

}  // namespace

ToolReply reply_of_json(const json::value& data, std::string text) {
    ToolReply reply;
    const auto is_object = [](const json::value& item) { return item.is_object(); };
    if (data.is_object()) {
        reply.messages.emplace_back(JsonMessage{data});
    } else if (const auto* items = data.if_array();
               items != nullptr && std::ranges::all_of(*items, is_object)) {
        for (const auto& item : *items) {
            reply.messages.emplace_back(JsonMessage{item});
        }
    } else if (!data.is_string()) {
        reply.messages.emplace_back(JsonMessage{json::object{{"response", data}}});
    }
    reply.messages.emplace_back(TextMessage{std::move(text)});
    return reply;
}

ToolReply read_tool_reply(std::string_view body) {
    const auto data = parse_json(body);
    if (!data) {
        ToolReply reply;
        reply.messages.emplace_back(TextMessage{to_valid_utf8(body)});
        return reply;
    }
    if (const auto* text = data->if_string()) {
        ToolReply reply;
        reply.messages.emplace_back(TextMessage{std::string(*text)});
        return reply;
    }
    if (const auto* messages = find_member(*data, "messages");
        messages != nullptr && messages->is_array() && data->get_object().size() == 1) {
        ToolReply reply;
        for (const auto& message : messages->get_array()) {
            add_message(message, reply);
        }
        return reply;
    }
    if (data->is_object() && is_reply_object(data->get_object())) {
        return read_reply_object(*data);
    }
    return reply_of_json(*data, std::string(body));
}

std::string to_model_text(const ToolReply& reply) {
    // A JSON reply comes as text too; one of them is enough.
    const bool has_text = std::ranges::any_of(reply.messages, [](const ToolMessage& message) {
        return std::holds_alternative<TextMessage>(message);
    });
    std::string text;
    for (const auto& message : reply.messages) {
        if (has_text && std::holds_alternative<JsonMessage>(message)) {
            continue;
        }
        if (!text.empty()) {
            text += '\n';
        }
        text += std::visit(ModelText(), message);
    }
    return text;
}

}  // namespace flowspan::tools
