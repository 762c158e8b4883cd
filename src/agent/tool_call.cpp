#include "agent/tool_call.hpp"

#include "flowspan/value/value.hpp"
#include "tools/tool_reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace flowspan::agent {

namespace {

std::unexpected<Error> bad_arguments() {
    return failure(
        ErrorCode::invalid_input, "the arguments must be a JSON object as the schema says"
    );
}

Result<json::object> read_arguments(const AgentTool& tool, json::value given) {
    if (const auto* text = given.if_string()) {
        const std::string_view view(*text);
        if (auto parsed = parse_json(view); parsed) {
            given = *std::move(parsed);
        } else if (view.empty()) {
            given = json::object();
        }
    }
    if (given.is_null()) {
        return json::object();
    }
    if (auto* object = given.if_object()) {
        return std::move(*object);
    }
    const auto* properties = find_member(tool.definition.parameters, "properties");
    const auto* names = properties == nullptr ? nullptr : properties->if_object();
    if (names == nullptr || names->size() != 1) {
        return bad_arguments();
    }
    return json::object{{names->begin()->key(), std::move(given)}};
}

Result<json::object> prepare(const AgentTool& tool, json::value given) {
    FLOWSPAN_TRY(auto arguments, read_arguments(tool, std::move(given)));
    for (auto& argument : arguments) {
        const auto* parameter = tools::find_parameter(tool.parameters, argument.key());
        if (parameter != nullptr) {
            FLOWSPAN_TRY(
                argument.value(), tools::cast_argument(*parameter, std::move(argument.value()))
            );
        }
    }
    for (const auto& fixed : tool.fixed_arguments) {
        arguments[fixed.key()] = fixed.value();
    }
    return arguments;
}

void keep_messages(tools::ToolReply& reply, AgentResult& result) {
    for (auto& message : reply.messages) {
        if (std::holds_alternative<tools::FileMessage>(message) ||
            std::holds_alternative<tools::VariableMessage>(message)) {
            result.messages.push_back(std::move(message));
        }
    }
}

Task<Result<std::string>> invoke(AgentState& state, WantedCall call) {
    const auto& known = state.request.tools;
    const auto tool = std::ranges::find_if(known, [&](const AgentTool& one) {
        return one.definition.name == call.name;
    });
    if (tool == known.end()) {
        co_return failure(
            ErrorCode::not_found, fmt::format("there is not a tool named {}", call.name)
        );
    }
    FLOWSPAN_CO_TRY(auto arguments, prepare(*tool, std::move(call.arguments)));
    auto context = state.request.tool_context;
    context.call_id = std::move(call.id);
    FLOWSPAN_CO_TRY(auto reply, co_await tool->tool->invoke(std::move(arguments), context));
    auto text = tools::to_model_text(reply);
    keep_messages(reply, state.result);
    co_return text;
}

}  // namespace

Task<std::string> call_tool(AgentState& state, WantedCall call, AgentLog log) {
    log.label = "CALL " + call.name;
    log.data["tool_name"] = call.name;
    log.data["tool_call_args"] = call.arguments;
    state.listener.on_log(log);
    auto observation = co_await invoke(state, std::move(call));
    std::string text;
    if (observation) {
        text = *std::move(observation);
        log.status = "success";
    } else {
        text = "tool invoke error: " + observation.error().full_text();
        log.status = "error";
        log.error = observation.error().full_text();
    }
    log.data["output"] = text;
    state.listener.on_log(log);
    co_return text;
}

}  // namespace flowspan::agent
