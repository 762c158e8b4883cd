#include "observe/traced_message_services.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/propagation.hpp"
#include "flowspan/trace/trace_span.hpp"

#include <string_view>
#include <utility>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

/// Where a step's span belongs: below the run that it comes after, or whatever is current.
opentelemetry::context::Context context_of(const service::MessageRef& message) {
    if (message.trace.empty()) {
        return trace::current_context();
    }
    return trace::extract([&message](std::string_view name) {
        const auto* header = message.trace.if_contains(name);
        return header == nullptr ? std::string_view() : string_or_empty(*header);
    });
}

void write_message(
    trace::Span& span, std::string_view operation, const service::MessageRef& message
) {
    set(span, names::kGenAiOperationName, operation);
    if (!message.message_id.empty()) {
        set(span, names::kDifyMessageId, message.message_id);
    }
    if (!message.conversation_id.empty()) {
        set(span, names::kGenAiConversationId, message.conversation_id);
    }
}

// The call itself has a span of its own; this is what it came to.
void write_usage(trace::Span& span, const service::StepUsage& usage) {
    if (usage.model.empty()) {
        return;
    }
    set(span, names::kGenAiProviderName, usage.provider);
    set(span, names::kGenAiRequestModel, usage.model);
    set(span, names::kGenAiUsageInputTokens, usage.prompt_tokens);
    set(span, names::kGenAiUsageOutputTokens, usage.completion_tokens);
}

struct ModerationHandler {
    const trace::CapturePolicy* policy;

    std::string_view span_name(const service::ModerationRequest& /*request*/) const {
        return "moderation";
    }

    void on_start(trace::Span& span, const service::ModerationRequest& request) const {
        write_message(span, "moderation", request.message);
        policy->write(
            span,
            trace::content::kInput,
            [&] { return trace::content_size(request.inputs) + request.query.size(); },
            [&] {
                auto inputs = request.inputs;
                inputs["query"] = request.query;
                return json::value(std::move(inputs));
            }
        );
    }

    void on_result(trace::Span& span, const Result<service::ModerationResult>& result) const {
        set(span, names::kFlowspanModerationFlagged, result->is_flagged);
        if (!result->is_flagged) {
            return;
        }
        set(span, names::kFlowspanModerationAction, result->action);
        policy->write(
            span,
            trace::content::kOutput,
            [&] {
                return result->preset_response.size() + result->query.size() +
                       trace::content_size(result->inputs);
            },
            [&] {
                return json::value(json::object{
                    {"preset_response", result->preset_response},
                    {"inputs", result->inputs},
                    {"query", result->query},
                });
            }
        );
    }
};

struct SuggestionHandler {
    const trace::CapturePolicy* policy;

    std::string_view span_name(const service::SuggestionRequest& /*request*/) const {
        return "suggest_questions";
    }

    void on_start(trace::Span& span, const service::SuggestionRequest& request) const {
        write_message(span, "suggest_questions", request.message);
        policy->write(
            span,
            trace::content::kInput,
            [&] { return request.history.size(); },
            [&] { return request.history; }
        );
    }

    void on_result(trace::Span& span, const Result<service::Suggestions>& result) const {
        const auto& questions = result->questions;
        set(span, names::kFlowspanSuggestionCount, static_cast<std::int64_t>(questions.size()));
        write_usage(span, result->usage);
        policy->write(
            span,
            trace::content::kOutput,
            [&] {
                std::size_t bytes = 0;
                for (const auto& question : questions) {
                    bytes += question.size();
                }
                return bytes;
            },
            [&] { return json::value(json::array(questions.begin(), questions.end())); }
        );
    }
};

struct NameHandler {
    const trace::CapturePolicy* policy;

    std::string_view span_name(const service::NamingRequest& /*request*/) const {
        return "generate_name";
    }

    void on_start(trace::Span& span, const service::NamingRequest& request) const {
        write_message(span, "generate_name", request.message);
        policy->write(
            span,
            trace::content::kInput,
            [&] { return request.query.size(); },
            [&] { return request.query; }
        );
    }

    void on_result(trace::Span& span, const Result<service::ConversationName>& result) const {
        write_usage(span, result->usage);
        policy->write(
            span,
            trace::content::kOutput,
            [&] { return result->name.size(); },
            [&] { return result->name; }
        );
    }
};

/// Calls one member function of a service.
template <class Service, class Reply, class Request, auto kMethod>
struct CallStep {
    Service* inner;

    Task<Result<Reply>> operator()(const Request& request) const {
        return (inner->*kMethod)(request);
    }
};

template <class Handler, class Service, class Reply, class Request, auto kMethod>
class TracedStep {
public:
    TracedStep(Service& inner, const trace::CapturePolicy& policy)
        : call_(Handler{&policy}, Call{&inner}) {}

    Task<Result<Reply>> run(const Request& request) const {
        const trace::CurrentContext below(context_of(request.message));
        co_return co_await call_(request);
    }

private:
    using Call = CallStep<Service, Reply, Request, kMethod>;
    trace::TracedCallable<Handler, Call> call_;
};

class TracedModeration final : public service::Moderation {
public:
    TracedModeration(service::Moderation& inner, const trace::CapturePolicy& policy)
        : step_(inner, policy) {}

    Task<Result<service::ModerationResult>> check(const service::ModerationRequest& request
    ) override {
        return step_.run(request);
    }

private:
    TracedStep<
        ModerationHandler,
        service::Moderation,
        service::ModerationResult,
        service::ModerationRequest,
        &service::Moderation::check>
        step_;
};

class TracedSuggester final : public service::QuestionSuggester {
public:
    TracedSuggester(service::QuestionSuggester& inner, const trace::CapturePolicy& policy)
        : step_(inner, policy) {}

    Task<Result<service::Suggestions>> suggest(const service::SuggestionRequest& request) override {
        return step_.run(request);
    }

private:
    TracedStep<
        SuggestionHandler,
        service::QuestionSuggester,
        service::Suggestions,
        service::SuggestionRequest,
        &service::QuestionSuggester::suggest>
        step_;
};

class TracedNamer final : public service::ConversationNamer {
public:
    TracedNamer(service::ConversationNamer& inner, const trace::CapturePolicy& policy)
        : step_(inner, policy) {}

    Task<Result<service::ConversationName>> find_name(const service::NamingRequest& request
    ) override {
        return step_.run(request);
    }

private:
    TracedStep<
        NameHandler,
        service::ConversationNamer,
        service::ConversationName,
        service::NamingRequest,
        &service::ConversationNamer::find_name>
        step_;
};

}  // namespace

std::unique_ptr<service::Moderation> trace_moderation(
    service::Moderation& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedModeration>(inner, policy);
}

std::unique_ptr<service::QuestionSuggester> trace_question_suggester(
    service::QuestionSuggester& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedSuggester>(inner, policy);
}

std::unique_ptr<service::ConversationNamer> trace_conversation_namer(
    service::ConversationNamer& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedNamer>(inner, policy);
}

}  // namespace flowspan::observe
