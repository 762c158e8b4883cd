#include "model_server/script.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <initializer_list>

namespace flowspan::model_server {

namespace {

/// Nested values are written as JSON, so that bodies and arguments need no quoting in a script.
std::string as_text(const YAML::Node& node) {
    if (!node || node.IsNull()) {
        return {};
    }
    if (node.IsScalar()) {
        return node.Scalar();
    }
    YAML::Emitter emitter;
    emitter.SetSeqFormat(YAML::Flow);
    emitter.SetMapFormat(YAML::Flow);
    emitter.SetStringFormat(YAML::DoubleQuoted);
    emitter.SetOutputCharset(YAML::EscapeAsJson);
    emitter << node;
    std::string text = emitter.c_str();
    // The emitter folds long flows over several lines, which JSON does not mind.
    return text;
}

void check_keys(const YAML::Node& node, std::initializer_list<std::string_view> known) {
    for (const auto& entry : node) {
        const auto key = entry.first.as<std::string>();
        if (std::ranges::find(known, key) == known.end()) {
            throw YAML::Exception(entry.first.Mark(), "unknown key " + key);
        }
    }
}

std::optional<std::chrono::microseconds> delay(const YAML::Node& node) {
    if (!node) {
        return std::nullopt;
    }
    return std::chrono::microseconds(static_cast<std::int64_t>(node.as<double>() * 1000.0));
}

template <class T>
std::optional<T> optional(const YAML::Node& node) {
    return node ? std::optional<T>(node.as<T>()) : std::nullopt;
}

ScriptedUsage read_usage(const YAML::Node& node) {
    check_keys(node, {"prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"});
    return {
        .prompt_tokens = node["prompt_tokens"].as<std::int64_t>(0),
        .completion_tokens = node["completion_tokens"].as<std::int64_t>(0),
        .cached_tokens = node["cached_tokens"].as<std::int64_t>(0),
        .reasoning_tokens = node["reasoning_tokens"].as<std::int64_t>(0)
    };
}

void read_conditions(const YAML::Node& when, ScriptedReply& reply) {
    if (!when) {
        return;
    }
    check_keys(when, {"message", "any_message", "model", "times"});
    reply.message = as_text(when["message"]);
    reply.any_message = as_text(when["any_message"]);
    reply.model = as_text(when["model"]);
    reply.times = when["times"].as<int>(0);
}

ScriptedReply read_reply(const YAML::Node& node) {
    check_keys(
        node,
        {"when",
         "status",
         "headers",
         "body",
         "content_type",
         "text",
         "reasoning",
         "tool_calls",
         "usage",
         "tokens",
         "first_ms",
         "gap_ms",
         "hang",
         "disconnect_after",
         "hang_after",
         "done",
         "slice",
         "finish_reason"}
    );
    ScriptedReply reply;
    read_conditions(node["when"], reply);
    reply.status = node["status"].as<int>(200);
    for (const auto& header : node["headers"]) {
        reply.headers.emplace_back(header.first.as<std::string>(), as_text(header.second));
    }
    if (node["body"]) {
        reply.body = as_text(node["body"]);
    }
    reply.content_type = as_text(node["content_type"]);
    if (node["text"]) {
        reply.text = as_text(node["text"]);
    }
    reply.reasoning = as_text(node["reasoning"]);
    for (const auto& call : node["tool_calls"]) {
        check_keys(call, {"id", "name", "arguments"});
        reply.tool_calls.push_back(
            {.id = as_text(call["id"]),
             .name = as_text(call["name"]),
             .arguments = as_text(call["arguments"])}
        );
    }
    reply.finish_reason = as_text(node["finish_reason"]);
    if (node["usage"]) {
        reply.usage = read_usage(node["usage"]);
    }
    reply.tokens = optional<int>(node["tokens"]);
    reply.first_delay = delay(node["first_ms"]);
    reply.gap = delay(node["gap_ms"]);
    reply.should_hang = node["hang"].as<bool>(false);
    reply.disconnect_after = optional<int>(node["disconnect_after"]);
    reply.hang_after = optional<int>(node["hang_after"]);
    reply.has_done_mark = node["done"].as<bool>(true);
    reply.slice = node["slice"].as<std::size_t>(0);
    return reply;
}

}  // namespace

Result<Script> parse_script(std::string_view text) {
    try {
        const auto root = YAML::Load(std::string(text));
        check_keys(root, {"tokens", "first_ms", "gap_ms", "replies"});
        Script script;
        script.tokens = root["tokens"].as<int>(script.tokens);
        script.first_delay = delay(root["first_ms"]).value_or(script.first_delay);
        script.gap = delay(root["gap_ms"]).value_or(script.gap);
        for (const auto& entry : root["replies"]) {
            script.replies.push_back(read_reply(entry));
        }
        return script;
    } catch (const YAML::Exception& error) {
        return failure(ErrorCode::invalid_input, std::string("script: ") + error.what());
    }
}

}  // namespace flowspan::model_server
