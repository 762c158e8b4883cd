// One round of an agent: the model is asked, and the tools that it wants are called.

#include "agent/agent.hpp"
#include "agent/react.hpp"
#include "agent/tool_call.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::agent {

namespace {

class TextStream final : public model::ChatListener {
public:
    explicit TextStream(AgentState& state) : state_(state) {}

    void on_text(std::string_view piece) override {
        state_.result.text += piece;
        state_.listener.on_text(piece);
    }

private:
    AgentState& state_;
};

json::object usage_metadata(const model::Usage& usage) {
    return {
        {"total_tokens", usage.total_tokens()},
        {"total_price", usage.total_price()},
        {"currency", usage.currency},
    };
}

class Round final : public AgentRound {
public:
    Round(model::ChatModel& chat_model, Random& random)
        : chat_model_(chat_model), random_(random) {}

    Task<Result<bool>> run(AgentState& state) override {
        AgentLog log{.id = make_uuid(random_), .label = fmt::format("ROUND {}", state.round)};
        state.listener.on_log(log);
        auto done = state.request.strategy == Strategy::function_calling
                        ? co_await call_functions(state, log)
                        : co_await act(state, log);
        if (!done) {
            log.status = "error";
            log.error = done.error().full_text();
        } else {
            log.status = "success";
        }
        state.listener.on_log(log);
        co_return done;
    }

private:
    static model::ChatRequest make_request(const AgentState& state) {
        model::ChatRequest request;
        request.model = state.request.model;
        request.parameters = state.request.parameters;
        request.stop = state.request.stop;
        request.user = state.request.user;
        return request;
    }

    static std::unexpected<Error> still_wants_a_tool(const AgentState& state) {
        return failure(
            ErrorCode::limit_exceeded,
            fmt::format(
                "the model still asks for a tool in the last of {} rounds; raise "
                "`maximum_iterations`",
                state.round
            )
        );
    }

    static void note_reply(AgentState& state, const model::ChatReply& reply, AgentLog& log) {
        state.result.usage.add(reply.usage);
        state.result.finish_reason = reply.finish_reason.value_or("");
        log.metadata = usage_metadata(reply.usage);
        log.data["output"] = reply.text;
    }

    Task<Result<bool>> call_functions(AgentState& state, AgentLog& log) {
        auto request = make_request(state);
        request.messages = state.messages;
        if (!state.is_last_round) {
            for (const auto& tool : state.request.tools) {
                request.tools.push_back(tool.definition);
            }
        }
        TextStream stream(state);
        FLOWSPAN_CO_TRY(const auto reply, co_await chat_model_.chat(request, stream));
        note_reply(state, reply, log);
        if (reply.tool_calls.empty()) {
            co_return true;
        }
        if (state.is_last_round) {
            co_return still_wants_a_tool(state);
        }
        state.messages.push_back(
            {.role = "assistant", .text = reply.text, .tool_calls = reply.tool_calls}
        );
        for (const auto& call : reply.tool_calls) {
            auto observation = co_await call_tool(
                state, {call.id, call.name, json::value(call.arguments)}, logged_under(log)
            );
            state.messages.push_back(
                {.role = "tool", .text = std::move(observation), .tool_call_id = call.id}
            );
        }
        co_return false;
    }

    Task<Result<bool>> act(AgentState& state, AgentLog& log) {
        static const std::vector<AgentTool> kNoTools;
        const auto& tools = state.is_last_round ? kNoTools : state.request.tools;
        auto request = make_request(state);
        request.messages.push_back(
            {.role = "system", .text = react_system_prompt(state.request.instruction, tools)}
        );
        request.messages.insert(
            request.messages.end(), state.messages.begin(), state.messages.end()
        );
        request.stop.emplace_back(kObservation);
        ReactAnswerStream stream(state.listener);
        FLOWSPAN_CO_TRY(const auto reply, co_await chat_model_.chat(request, stream));
        note_reply(state, reply, log);
        state.result.text += stream.sent();
        auto step = read_react_reply(reply.text);
        log.data["thought"] = step.thought;
        if (step.answer) {
            if (stream.sent().empty()) {
                state.result.text += *step.answer;
                state.listener.on_text(*step.answer);
            }
            co_return true;
        }
        if (state.is_last_round) {
            co_return still_wants_a_tool(state);
        }
        auto observation = co_await call_tool(
            state, {"", std::move(step.action), std::move(step.action_input)}, logged_under(log)
        );
        state.messages.push_back({.role = "assistant", .text = reply.text});
        state.messages.push_back(
            {.role = "user", .text = fmt::format("{}: {}", kObservation, observation)}
        );
        co_return false;
    }

    [[nodiscard]] AgentLog logged_under(const AgentLog& parent) const {
        return {.id = make_uuid(random_), .parent_id = parent.id};
    }

    model::ChatModel& chat_model_;
    Random& random_;
};

}  // namespace

std::unique_ptr<AgentRound> make_agent_round(model::ChatModel& chat_model, Random& random) {
    return std::make_unique<Round>(chat_model, random);
}

}  // namespace flowspan::agent
