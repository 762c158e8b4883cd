#include "observe/app_handlers.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/propagation.hpp"
#include "flowspan/trace/run_scope.hpp"
#include "flowspan/trace/trace_span.hpp"
#include "observe/run_outcome.hpp"
#include "observe/stream_meter.hpp"

#include <opentelemetry/trace/context.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

// Why the stream of an answer ended.
std::string_view end_reason(engine::RunStatus status) {
    switch (status) {
        case engine::RunStatus::failed:
            return "failed";
        case engine::RunStatus::stopped:
            return "stopped";
        case engine::RunStatus::paused:
            return "paused";
        default:
            return "exhausted";
    }
}

std::vector<Secret> secrets_of(const dsl::App& app) {
    std::vector<Secret> secrets;
    for (const auto& variable : app.environment_variables) {
        if (variable.value.type() == value::ValueType::secret) {
            secrets.emplace_back(std::string(variable.value.text()));
        }
    }
    return secrets;
}

struct ScopeFacts {
    const dsl::App& app;
    const std::string& user_id;
    const std::string& session_id;
    const std::string& invoke_from;
};

/// A run inside of a run (a workflow used as a tool) keeps the secrets of both.
trace::RunScopePtr make_scope(const ScopeFacts& facts, const trace::CapturePolicy& policy) {
    const auto outer = trace::current_run_scope();
    auto scope = std::make_shared<trace::RunScope>();
    scope->app_id = facts.app.id;
    scope->app_name = facts.app.name;
    scope->app_mode = dsl::to_string(facts.app.mode);
    scope->user_id = facts.user_id;
    scope->invoke_from = facts.invoke_from;
    scope->session_id = facts.session_id;
    scope->tags = {scope->app_mode};
    scope->modes = policy.modes_for(facts.app.id, facts.app.name);
    scope->redactor = policy.redactor;
    if (outer != nullptr) {
        scope->redactor = outer->redactor;
        if (scope->session_id.empty()) {
            scope->session_id = outer->session_id;
        }
    }
    if (const auto secrets = secrets_of(facts.app); !secrets.empty()) {
        scope->redactor = scope->redactor->with_secrets(secrets);
    }
    return scope;
}

trace::RunScopePtr with_run(const trace::RunScopePtr& scope, const engine::RunInfo& info) {
    if (scope == nullptr) {
        return nullptr;
    }
    auto completed = std::make_shared<trace::RunScope>(*scope);
    completed->run_id = info.run_id;
    if (!info.conversation_id.empty()) {
        completed->session_id = info.conversation_id;
    }
    return completed;
}

json::object to_object(const std::vector<engine::NodeOutput>& values) {
    json::object object;
    for (const auto& item : values) {
        object[item.name] = item.value.json();
    }
    return object;
}

/// What the stream of an answer tells about itself; written also when the consumer leaves.
struct StreamFacts {
    StreamFacts(engine::EventSink& sink, trace::SpanPtr app_span)
        : meter(sink), span(std::move(app_span)) {}

    // A result, which is written later, knows more of the usage than the stream.
    ~StreamFacts() {
        if (span->IsRecording()) {
            meter.write_timing(*span);
            meter.write_usage(*span);
        }
    }

    StreamFacts(const StreamFacts&) = delete;
    StreamFacts& operator=(const StreamFacts&) = delete;

    StreamMeter meter;
    trace::SpanPtr span;
};

struct AppGenerateHandler {
    const trace::CapturePolicy* policy;

    std::string_view span_name(const service::GenerateRequest& /*request*/, auto& /*sink*/) const {
        return "AppGenerateService.generate";
    }

    auto enter(const service::GenerateRequest& request, auto& /*sink*/) const {
        return trace::CurrentRunScope(make_scope(
            {request.app->app, request.user, request.conversation_id, request.invoke_from}, *policy
        ));
    }

    StreamFacts hold(const trace::SpanPtr& span, const auto& /*request*/, engine::EventSink& sink)
        const {
        return {sink, span};
    }

    void on_start(trace::Span& span, const service::GenerateRequest& request, auto& /*sink*/)
        const {
        const auto& app = request.app->app;
        set(span, names::kDifyAppId, app.id);
        set(span, names::kDifyAppName, app.name);
        set(span, names::kDifyAppMode, dsl::to_string(app.mode));
        set(span, names::kDifyUserType, request.user_type);
        set(span, names::kDifyInvokeFrom, request.invoke_from);
        set(span, names::kDifyStreaming, request.is_streaming);
        if (!request.user.empty()) {
            set(span, names::kUserId, request.user);
        }
        policy->write(
            span,
            trace::content::kInput,
            [&] { return trace::content_size(request.inputs) + request.query.size(); },
            [&] {
                auto inputs = request.inputs;
                if (!request.query.empty()) {
                    inputs["query"] = request.query;
                }
                return json::value(std::move(inputs));
            }
        );
        if (service::is_external_trace_id(request.trace_id)) {
            set(span, names::kFlowspanExternalTraceId, request.trace_id);
        }
        if (request.is_trace_kept) {
            set(span, names::kFlowspanSamplingKeep, true);
        }
    }

    void on_result(trace::Span& span, const Result<service::GenerateResult>& result) const {
        write_outcome(span, result->run);
        write_outputs(span, result->run, *policy);
        set(span, names::kFlowspanEndReason, end_reason(result->run.status));
    }

    void on_error(trace::Span& span, const Error& /*error*/) const {
        set(span, names::kFlowspanEndReason, "refused");
    }

    void on_exception(trace::Span& span, const std::exception_ptr& exception) const {
        set(span,
            names::kFlowspanEndReason,
            async::is_cancelled(exception) ? "client left" : "failed");
    }
};

/// The trace that a run began in, and its scope.
struct ResumedScope {
    ResumedScope(const service::ResumeRequest& request, const trace::CapturePolicy& policy)
        : began_in(trace::extract([&request](std::string_view name) {
              const auto* header = request.paused.trace.if_contains(name);
              return header == nullptr ? std::string_view() : string_or_empty(*header);
          })),
          run(make_scope(
              {request.app->app,
               request.paused.run->info.user_id,
               request.paused.run->info.conversation_id,
               request.paused.run->info.invoke_from},
              policy
          )) {}

    trace::CurrentContext began_in;
    trace::CurrentRunScope run;
};

struct AppResumeHandler : AppGenerateHandler {
    auto enter(const service::ResumeRequest& request, auto& /*sink*/) const {
        return ResumedScope(request, *policy);
    }

    std::string_view span_name(const service::ResumeRequest& /*request*/, auto& /*sink*/) const {
        return "AppGenerateService.generate";
    }

    void on_start(trace::Span& span, const service::ResumeRequest& request, auto& /*sink*/) const {
        const auto& app = request.app->app;
        const auto& snapshot = *request.paused.run;
        set(span, names::kDifyAppId, app.id);
        set(span, names::kDifyAppName, app.name);
        set(span, names::kDifyAppMode, dsl::to_string(app.mode));
        set(span, names::kDifyUserType, request.user_type);
        set(span, names::kDifyInvokeFrom, snapshot.info.invoke_from);
        set(span, names::kDifyStreaming, request.is_streaming);
        set(span, names::kFlowspanResumed, snapshot.pause_reasons.empty() ? "interrupted" : "paused"
        );
        const auto waited = real_clock().system_now() - snapshot.taken_at;
        set(span, names::kFlowspanPauseDuration, std::chrono::duration<double>(waited).count());
        if (!snapshot.info.user_id.empty()) {
            set(span, names::kUserId, snapshot.info.user_id);
        }
    }
};

// Only now has the run its ids, and the app span, which is current here, may get no result.
void tell_app_span(const engine::RunInfo& info) {
    const auto span = opentelemetry::trace::GetSpan(trace::current_context());
    if (!span->IsRecording()) {
        return;
    }
    set(*span, names::kDifyWorkflowRunId, info.run_id);
    if (!info.conversation_id.empty()) {
        set(*span, names::kGenAiConversationId, info.conversation_id);
    }
}

/// The run's scope with its ids, and what of it goes along as baggage.
struct RunnerScope {
    RunnerScope(const trace::RunScopePtr& completed, const trace::BaggageRules& rules)
        : run(completed) {
        if (completed != nullptr && !rules.is_empty()) {
            baggage = trace::CurrentContext(
                trace::with_baggage(trace::current_context(), *completed, rules)
            );
        }
    }

    trace::CurrentRunScope run;
    trace::CurrentContext baggage;
};

struct AppRunnerHandler {
    std::string name;
    const trace::CapturePolicy* policy;
    trace::BaggageRules baggage;

    auto enter(const service::AppRun& run, auto& /*sink*/) const {
        tell_app_span(*run.info);
        return RunnerScope(with_run(trace::current_run_scope(), *run.info), baggage);
    }

    const std::string& span_name(const service::AppRun& /*run*/, auto& /*sink*/) const {
        return name;
    }

    void on_start(trace::Span& span, const service::AppRun& run, auto& /*sink*/) const {
        set(span, names::kDifyAppId, run.info->app_id);
        set(span, names::kDifyWorkflowId, run.info->workflow_id);
        set(span, names::kDifyWorkflowRunId, run.info->run_id);
        policy->write(
            span,
            trace::content::kInput,
            [&] { return run.query.size() + trace::content_size(to_object(run.inputs)); },
            [&] {
                auto inputs = to_object(run.inputs);
                if (!run.query.empty()) {
                    inputs["sys.query"] = run.query;
                }
                return json::value(std::move(inputs));
            }
        );
    }

    void on_result(trace::Span& span, const Result<engine::RunResult>& result) const {
        write_outcome(span, *result);
        write_outputs(span, *result, *policy);
    }
};

template <class Request, auto kMethod>
struct CallService {
    service::AppGenerateService* inner;

    Task<Result<service::GenerateResult>> operator()(
        const Request& request, engine::EventSink& sink
    ) const {
        return (inner->*kMethod)(request, sink);
    }

    Task<Result<service::GenerateResult>> operator()(
        const Request& request, engine::EventSink& /*sink*/, StreamFacts& facts
    ) const {
        return (inner->*kMethod)(request, facts.meter);
    }
};

using CallGenerate = CallService<service::GenerateRequest, &service::AppGenerateService::generate>;
using CallResume = CallService<service::ResumeRequest, &service::AppGenerateService::resume>;

struct CallRunner {
    service::AppRunner* inner;

    Task<Result<engine::RunResult>> operator()(const service::AppRun& run, engine::EventSink& sink)
        const {
        return inner->run(run, sink);
    }
};

class TracedGenerateService final : public service::AppGenerateService {
public:
    TracedGenerateService(service::AppGenerateService& inner, const trace::CapturePolicy& policy)
        : generate_(AppGenerateHandler{&policy}, CallGenerate{&inner}),
          resume_(AppResumeHandler{{&policy}}, CallResume{&inner}) {}

    Task<Result<service::GenerateResult>> generate(
        const service::GenerateRequest& request, engine::EventSink& consumer
    ) override {
        const auto id = trace::parse_trace_id(request.trace_id);
        return id ? generate_with(*id, request, consumer) : generate_(request, consumer);
    }

    // The run goes on in the trace that it began in, whatever trace the caller is in.
    Task<Result<service::GenerateResult>> resume(
        const service::ResumeRequest& request, engine::EventSink& consumer
    ) override {
        return resume_(request, consumer);
    }

private:
    Task<Result<service::GenerateResult>> generate_with(
        opentelemetry::trace::TraceId id,
        const service::GenerateRequest& request,
        engine::EventSink& consumer
    ) {
        const trace::CurrentContext given(trace::with_trace_id(trace::current_context(), id));
        co_return co_await generate_(request, consumer);
    }

    trace::TracedCallable<AppGenerateHandler, CallGenerate> generate_;
    trace::TracedCallable<AppResumeHandler, CallResume> resume_;
};

class TracedAppRunner final : public service::AppRunner {
public:
    TracedAppRunner(
        service::AppRunner& inner,
        std::string name,
        const trace::CapturePolicy& policy,
        trace::BaggageRules baggage
    )
        : run_(AppRunnerHandler{std::move(name) + ".run", &policy, baggage}, CallRunner{&inner}) {}

    Task<Result<engine::RunResult>> run(const service::AppRun& run, engine::EventSink& consumer)
        override {
        return run_(run, consumer);
    }

private:
    trace::TracedCallable<AppRunnerHandler, CallRunner> run_;
};

}  // namespace

std::unique_ptr<service::AppGenerateService> trace_generate_service(
    service::AppGenerateService& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedGenerateService>(inner, policy);
}

std::unique_ptr<service::AppRunner> trace_app_runner(
    service::AppRunner& inner,
    std::string name,
    const trace::CapturePolicy& policy,
    trace::BaggageRules baggage
) {
    return std::make_unique<TracedAppRunner>(inner, std::move(name), policy, baggage);
}

}  // namespace flowspan::observe
