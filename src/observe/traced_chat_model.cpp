#include "observe/traced_chat_model.hpp"

#include "flowspan/trace/names.hpp"
#include "flowspan/trace/trace_span.hpp"
#include "observe/message_forms.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

// Apps write `1` for 1.0 and the other way round; an attribute has one type.
void set_double(
    trace::Span& span, std::string_view key, const json::object& parameters, std::string_view name
) {
    const auto* value = parameters.if_contains(name);
    if (value != nullptr && value->is_number()) {
        set(span, key, value->to_number<double>());
    }
}

void set_integer(
    trace::Span& span, std::string_view key, const json::object& parameters, std::string_view name
) {
    constexpr double kExactMax = 9'007'199'254'740'992;  // beyond it doubles have gaps
    const auto* value = parameters.if_contains(name);
    if (value == nullptr || !value->is_number()) {
        return;
    }
    if (value->is_int64()) {
        set(span, key, value->get_int64());
    } else if (const auto number = value->to_number<double>(); std::abs(number) <= kExactMax) {
        set(span, key, static_cast<std::int64_t>(std::llround(number)));
    }
}

void set_parameters(trace::Span& span, const model::ChatRequest& request) {
    const auto& given = request.parameters;
    set_double(span, names::kGenAiRequestTemperature, given, "temperature");
    set_double(span, names::kGenAiRequestTopP, given, "top_p");
    set_integer(span, names::kGenAiRequestTopK, given, "top_k");
    set_double(span, names::kGenAiRequestFrequencyPenalty, given, "frequency_penalty");
    set_double(span, names::kGenAiRequestPresencePenalty, given, "presence_penalty");
    set_integer(span, names::kGenAiRequestMaxTokens, given, "max_tokens");
    set_integer(span, names::kGenAiRequestSeed, given, "seed");
    if (!request.stop.empty()) {
        set(span, names::kGenAiRequestStopSequences, std::span<const std::string>(request.stop));
    }
}

void write_finish_reason(trace::Span& span, const std::string& reason) {
    set(span, names::kGenAiResponseFinishReasons, std::span<const std::string>(&reason, 1));
}

// All that a reply can have, whole or not.
void write_arrival(
    trace::Span& span, const model::ChatReply& reply, const trace::CapturePolicy& policy
) {
    if (!reply.response_id.empty()) {
        set(span, names::kGenAiResponseId, reply.response_id);
    }
    if (!reply.response_model.empty()) {
        set(span, names::kGenAiResponseModel, reply.response_model);
    }
    set(span, names::kGenAiResponseTimeToFirstChunk, reply.usage.time_to_first_token);
    set(span, names::kFlowspanChunkCount, reply.timing.chunk_count);
    set(span, names::kFlowspanChunkGapMax, reply.timing.chunk_gap_max);
    set(span, names::kFlowspanChunkGapMean, reply.timing.chunk_gap_mean);
    policy.write(
        span,
        trace::content::kOutputMessages,
        [&] { return text_size(reply); },
        [&] { return json::value(to_message_list(reply)); }
    );
}

void write_reply(
    trace::Span& span, const model::ChatReply& reply, const trace::CapturePolicy& policy
) {
    set(span, names::kGenAiUsageInputTokens, reply.usage.prompt_tokens);
    set(span, names::kGenAiUsageOutputTokens, reply.usage.completion_tokens);
    if (reply.usage.cached_tokens > 0) {
        set(span, names::kGenAiUsageCacheReadInputTokens, reply.usage.cached_tokens);
    }
    if (reply.usage.reasoning_tokens > 0) {
        set(span, names::kGenAiUsageReasoningOutputTokens, reply.usage.reasoning_tokens);
    }
    if (reply.finish_reason) {
        write_finish_reason(span, *reply.finish_reason);
    }
    if (reply.usage.total_price() > 0) {
        set(span, names::kDifyUsageTotalPrice, reply.usage.total_price());
        set(span, names::kDifyUsageCurrency, reply.usage.currency);
    }
    if (reply.attempts > 1) {
        set(span, names::kFlowspanAttemptCount, reply.attempts);
    }
    write_arrival(span, reply, policy);
}

/// Writes what came of a call that gives no reply.
class BrokenOffWriter final : public model::BrokenOffWatch {
public:
    BrokenOffWriter(
        model::ChatListener& listener, const trace::CapturePolicy& policy, trace::SpanPtr span
    )
        : BrokenOffWatch(listener), policy_(policy), span_(std::move(span)) {}

private:
    void on_broken_off(const model::ChatReply& partial) override {
        if (partial.attempts > 1) {
            set(*span_, names::kFlowspanAttemptCount, partial.attempts);
        }
        if (partial.timing.chunk_count > 0) {
            write_arrival(*span_, partial, policy_);
            write_finish_reason(*span_, "error");
        }
    }

    const trace::CapturePolicy& policy_;
    trace::SpanPtr span_;
};

struct ChatHandler {
    const model::ChatModel* inner;
    const trace::CapturePolicy* policy;
    static constexpr auto kKind = opentelemetry::trace::SpanKind::kClient;

    std::string span_name(const model::ChatRequest& request, auto& /*listener*/) const {
        return (request.is_completion ? "text_completion " : "chat ") + request.model.name;
    }

    BrokenOffWriter hold(
        const trace::SpanPtr& span,
        const model::ChatRequest& /*request*/,
        model::ChatListener& listener
    ) const {
        return {listener, *policy, span};
    }

    void on_start(trace::Span& span, const model::ChatRequest& request, auto& /*listener*/) const {
        const auto endpoint = inner->endpoint(request.model);
        set(span, names::kGenAiOperationName, request.is_completion ? "text_completion" : "chat");
        set(span, names::kGenAiProviderName, endpoint.provider_name);
        if (endpoint.provider_name == "openai" && !request.is_completion) {
            set(span, names::kOpenAiApiType, "chat_completions");
        }
        set(span, names::kGenAiRequestModel, request.model.name);
        set(span, names::kGenAiRequestStream, true);
        if (!endpoint.server_address.empty()) {
            set(span, names::kServerAddress, endpoint.server_address);
            set(span, names::kServerPort, endpoint.server_port);
        }
        set_parameters(span, request);
        if (request.response_schema) {
            set(span, names::kGenAiOutputType, "json");
        }
        set(span, names::kFlowspanPromptMessages, static_cast<std::int64_t>(request.messages.size())
        );
        policy->write(
            span,
            trace::content::kInputMessages,
            [&] { return text_size(request.messages); },
            [&] { return json::value(to_message_list(request.messages)); }
        );
        if (!request.tools.empty()) {
            policy->write(
                span,
                trace::content::kToolDefinitions,
                [&] { return text_size(request.tools); },
                [&] { return json::value(to_definition_list(request.tools)); }
            );
        }
    }

    void on_result(trace::Span& span, const Result<model::ChatReply>& result) const {
        write_reply(span, *result, *policy);
    }
};

struct CallChat {
    model::ChatModel* inner;

    Task<Result<model::ChatReply>> operator()(
        const model::ChatRequest& request, model::ChatListener& listener
    ) const {
        return inner->chat(request, listener);
    }
};

class TracedChatModel final : public model::ChatModel {
public:
    TracedChatModel(model::ChatModel& inner, const trace::CapturePolicy& policy)
        : inner_(inner), chat_(ChatHandler{&inner, &policy}, CallChat{&inner}) {}

    Task<Result<model::ChatReply>> chat(
        const model::ChatRequest& request, model::ChatListener& listener
    ) override {
        return chat_(request, listener);
    }

    model::ModelFeatures features(const model::ModelRef& model) const override {
        return inner_.features(model);
    }

    model::EndpointFacts endpoint(const model::ModelRef& model) const override {
        return inner_.endpoint(model);
    }

private:
    model::ChatModel& inner_;
    trace::TracedCallable<ChatHandler, CallChat> chat_;
};

}  // namespace

std::unique_ptr<model::ChatModel> trace_chat_model(
    model::ChatModel& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedChatModel>(inner, policy);
}

}  // namespace flowspan::observe
