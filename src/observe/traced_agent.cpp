#include "observe/traced_agent.hpp"

#include "flowspan/trace/names.hpp"
#include "flowspan/trace/trace_span.hpp"
#include "observe/message_forms.hpp"

#include <string>
#include <string_view>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

struct AgentHandler {
    const model::ChatModel* model;
    const trace::CapturePolicy* policy;

    std::string span_name(const agent::AgentRequest& request, auto& /*listener*/) const {
        return request.name.empty() ? "invoke_agent" : "invoke_agent " + request.name;
    }

    void on_start(trace::Span& span, const agent::AgentRequest& request, auto& /*listener*/) const {
        set(span, names::kGenAiOperationName, "invoke_agent");
        if (!request.name.empty()) {
            set(span, names::kGenAiAgentName, request.name);
        }
        set(span, names::kGenAiProviderName, model->endpoint(request.model).provider_name);
        set(span, names::kGenAiRequestModel, request.model.name);
        if (!request.tool_context.conversation_id.empty()) {
            set(span, names::kGenAiConversationId, request.tool_context.conversation_id);
        }
        policy->write(
            span,
            trace::content::kInputMessages,
            [&] { return request.query.size(); },
            [&] { return json::value(to_message_list("user", request.query)); }
        );
    }

    void on_result(trace::Span& span, const Result<agent::AgentResult>& result) const {
        set(span, names::kGenAiUsageInputTokens, result->usage.prompt_tokens);
        set(span, names::kGenAiUsageOutputTokens, result->usage.completion_tokens);
        set(span, names::kFlowspanAgentRounds, result->rounds);
        policy->write(
            span,
            trace::content::kOutputMessages,
            [&] { return result->text.size(); },
            [&] { return json::value(to_message_list("assistant", result->text)); }
        );
    }
};

struct RunAgent {
    agent::Agent* inner;

    Task<Result<agent::AgentResult>> operator()(
        const agent::AgentRequest& request, agent::AgentListener& listener
    ) const {
        return inner->run(request, listener);
    }
};

class TracedAgent final : public agent::Agent {
public:
    TracedAgent(
        agent::Agent& inner, const model::ChatModel& model, const trace::CapturePolicy& policy
    )
        : run_(AgentHandler{&model, &policy}, RunAgent{&inner}) {}

    Task<Result<agent::AgentResult>> run(
        const agent::AgentRequest& request, agent::AgentListener& listener
    ) override {
        return run_(request, listener);
    }

private:
    trace::TracedCallable<AgentHandler, RunAgent> run_;
};

struct RoundHandler {
    std::string_view span_name(const agent::AgentState& /*state*/) const { return "agent round"; }

    void on_start(trace::Span& span, const agent::AgentState& state) const {
        set(span, names::kFlowspanAgentRound, state.round);
    }
};

struct RunRound {
    agent::AgentRound* inner;

    Task<Result<bool>> operator()(agent::AgentState& state) const { return inner->run(state); }
};

class TracedAgentRound final : public agent::AgentRound {
public:
    explicit TracedAgentRound(agent::AgentRound& inner) : run_(RoundHandler{}, RunRound{&inner}) {}

    Task<Result<bool>> run(agent::AgentState& state) override { return run_(state); }

private:
    trace::TracedCallable<RoundHandler, RunRound> run_;
};

}  // namespace

std::unique_ptr<agent::Agent> trace_agent(
    agent::Agent& inner, const model::ChatModel& model, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedAgent>(inner, model, policy);
}

std::unique_ptr<agent::AgentRound> trace_agent_round(agent::AgentRound& inner) {
    return std::make_unique<TracedAgentRound>(inner);
}

}  // namespace flowspan::observe
