#include "nodes/testing/fake_services.hpp"

#include "tools/tool_registry.hpp"

#include <utility>

namespace flowspan::nodes::testing {

namespace {

json::value to_json(const model::ContentPart& part) {
    json::object out;
    constexpr const char* kNames[] = {"text", "image", "audio", "video", "document"};
    out["kind"] = kNames[static_cast<int>(part.kind)];
    for (const auto& [key, text] : {
             std::pair{"text", part.text},
             {"url", part.url},
             {"format", part.format},
             {"mime_type", part.mime_type},
             {"filename", part.filename},
             {"detail", part.detail},
         }) {
        if (!text.empty()) {
            out[key] = text;
        }
    }
    return out;
}

json::value to_json(const model::ChatMessage& message) {
    json::object out;
    out["role"] = message.role;
    if (message.parts.empty()) {
        out["text"] = message.text;
    } else {
        json::array parts;
        for (const auto& part : message.parts) {
            parts.push_back(to_json(part));
        }
        out["parts"] = std::move(parts);
    }
    if (!message.tool_calls.empty()) {
        json::array calls;
        for (const auto& call : message.tool_calls) {
            calls.push_back({{"name", call.name}, {"arguments", call.arguments}});
        }
        out["tool_calls"] = std::move(calls);
    }
    if (!message.tool_call_id.empty()) {
        out["tool_call_id"] = message.tool_call_id;
    }
    return out;
}

json::value to_json(const model::ChatRequest& request) {
    json::object out;
    out["provider"] = request.model.provider;
    out["model"] = request.model.name;
    json::array messages;
    for (const auto& message : request.messages) {
        messages.push_back(to_json(message));
    }
    out["messages"] = std::move(messages);
    out["parameters"] = request.parameters;
    out["stop"] = json::array(request.stop.begin(), request.stop.end());
    json::array tools;
    for (const auto& tool : request.tools) {
        tools.push_back({{"name", tool.name}, {"parameters", tool.parameters}});
    }
    out["tools"] = std::move(tools);
    out["schema"] = request.response_schema.value_or(json::value());
    out["is_completion"] = request.is_completion;
    return out;
}

json::value to_json(const http::HttpRequest& request) {
    json::object headers;
    for (const auto& [name, text] : request.headers) {
        headers[name] = text;
    }
    return {
        {"method", request.method},
        {"url", request.url},
        {"headers", std::move(headers)},
        {"body", request.body},
        {"connect_timeout_ms", request.connect_timeout.count()},
        {"read_timeout_ms", request.read_timeout.count()},
        {"verify", request.should_verify_tls},
        {"transport_retries", request.transport_retries_max},
    };
}

std::unexpected<Error> unscripted() {
    return failure(ErrorCode::internal, "the test's script has no reply left");
}

tools::ToolsConfig stub_tools() {
    tools::ToolsConfig config;
    config.map.push_back({.provider = "stub*", .url = "http://tools/"});
    return config;
}

template <class T>
Result<T> next(std::deque<Result<T>>& script) {
    if (script.empty()) {
        return unscripted();
    }
    auto reply = std::move(script.front());
    script.pop_front();
    return reply;
}

}  // namespace

Task<Result<model::ChatReply>> FakeChatModel::chat(
    const model::ChatRequest& request, model::ChatListener& listener
) {
    calls_.push_back(to_json(request));
    if (script.empty()) {
        co_return unscripted();
    }
    auto turn = std::move(script.front());
    script.pop_front();
    for (const auto& piece : turn.reasoning) {
        turn.reply.reasoning += piece;
        listener.on_reasoning(piece);
    }
    for (const auto& piece : turn.pieces) {
        turn.reply.text += piece;
        listener.on_text(piece);
    }
    if (turn.error) {
        co_return failure(*std::move(turn.error));
    }
    co_return std::move(turn.reply);
}

Task<Result<http::HttpResponse>> FakeHttpClient::send(http::HttpRequest request) {
    calls_.push_back(to_json(request));
    auto reply = next(script);
    if (reply && reply->body.size() > request.body_size_max) {
        co_return failure(ErrorCode::limit_exceeded, "the reply is too large");
    }
    co_return reply;
}

Task<Result<http::HttpResponse>> FakeHttpClient::stream(
    http::HttpRequest request, http::BodyListener& listener
) {
    FLOWSPAN_CO_TRY(auto reply, co_await send(std::move(request)));
    listener.on_headers(reply.status, reply.headers);
    reply.is_aborted = !listener.on_data(reply.body);
    reply.body.clear();
    co_return reply;
}

Task<Result<infra::sandbox::CodeReply>> FakeSandbox::run_code(infra::sandbox::CodeRequest request) {
    calls_.push_back(
        {{"language",
          request.language == infra::sandbox::Language::python3 ? "python3" : "javascript"},
         {"code", request.code},
         {"inputs", request.inputs}}
    );
    FLOWSPAN_CO_TRY(auto result, next(script));
    co_return infra::sandbox::CodeReply{std::move(result), ""};
}

Task<Result<std::string>> FakeSandbox::render_jinja2(std::string source, json::object variables) {
    calls_.push_back({{"source", source}, {"variables", variables}});
    FLOWSPAN_CO_TRY(const auto result, next(script));
    co_return std::string(string_or_empty(result));
}

Task<Result<std::vector<MemoryMessage>>> FakeMemory::load(
    std::string /*conversation_id*/, std::int64_t messages_max
) {
    auto newest = messages;
    while (std::cmp_greater(newest.size(), messages_max)) {
        newest.erase(newest.begin());
    }
    co_return newest;
}

FakeServices::FakeServices()
    : chat_model(calls),
      http_client(calls),
      sandbox(calls),
      random(make_seeded_random(1)),
      file_store(make_file_store({}, http_client, *random)),
      tool_registry(tools::make_tool_registry(stub_tools(), {http_client, real_clock()})),
      agent_round(flowspan::agent::make_agent_round(chat_model, *random)),
      agent_runner(flowspan::agent::make_agent(*agent_round)) {}

Services FakeServices::services() {
    return {
        .chat_model = chat_model,
        .http_client = http_client,
        .sandbox = sandbox,
        .file_store = *file_store,
        .clock = real_clock(),
        .random = *random,
        .tools = tool_registry.get(),
        .agent = agent_runner.get(),
        .memory = &memory,
    };
}

}  // namespace flowspan::nodes::testing
