#include "observe/app_handlers.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/propagation.hpp"
#include "flowspan/trace/trace_span.hpp"
#include "observe/run_outcome.hpp"
#include "observe/stream_meter.hpp"

#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/trace/context.h>

#include <chrono>
#include <utility>

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

struct AppGenerateHandler {
    std::string_view span_name(const service::GenerateRequest& /*request*/, auto& /*sink*/) const {
        return "AppGenerateService.generate";
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
    }

    void on_result(trace::Span& span, const Result<service::GenerateResult>& result) const {
        set(span, names::kDifyWorkflowRunId, result->info.run_id);
        if (!result->info.conversation_id.empty()) {
            set(span, names::kGenAiConversationId, result->info.conversation_id);
        }
        write_outcome(span, result->run);
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

struct AppResumeHandler : AppGenerateHandler {
    std::string_view span_name(const service::ResumeRequest& /*request*/, auto& /*sink*/) const {
        return "AppGenerateService.generate";
    }

    void on_start(trace::Span& span, const service::ResumeRequest& request, auto& /*sink*/) const {
        const auto& app = request.app->app;
        const auto& snapshot = *request.paused.run;
        set(span, names::kDifyAppId, app.id);
        set(span, names::kDifyAppName, app.name);
        set(span, names::kDifyAppMode, dsl::to_string(app.mode));
        set(span, names::kDifyInvokeFrom, snapshot.info.invoke_from);
        set(span, names::kFlowspanResumed, snapshot.pause_reasons.empty() ? "interrupted" : "paused"
        );
        const auto waited = real_clock().system_now() - snapshot.taken_at;
        set(span, names::kFlowspanPauseDuration, std::chrono::duration<double>(waited).count());
        if (!snapshot.info.user_id.empty()) {
            set(span, names::kUserId, snapshot.info.user_id);
        }
    }
};

struct AppRunnerHandler {
    std::string name;

    const std::string& span_name(const service::AppRun& /*run*/, auto& /*sink*/) const {
        return name;
    }

    void on_start(trace::Span& span, const service::AppRun& run, auto& /*sink*/) const {
        set(span, names::kDifyAppId, run.info.app_id);
        set(span, names::kDifyWorkflowId, run.info.workflow_id);
        set(span, names::kDifyWorkflowRunId, run.info.run_id);
    }

    void on_result(trace::Span& span, const Result<engine::RunResult>& result) const {
        write_outcome(span, *result);
    }
};

/// What the stream of an answer tells about itself; written also when the consumer leaves.
struct StreamFacts {
    explicit StreamFacts(engine::EventSink& sink) : meter(sink, real_clock()) {}

    ~StreamFacts() {
        if (!span->IsRecording()) {
            return;
        }
        meter.write_timing(*span);
        if (!has_result) {
            meter.write_usage(*span);
        }
    }

    StreamFacts(const StreamFacts&) = delete;
    StreamFacts& operator=(const StreamFacts&) = delete;

    StreamMeter meter;
    trace::SpanPtr span = opentelemetry::trace::GetSpan(trace::current_context());
    bool has_result = false;
};

/// Runs in the app span, which is current here.
template <class Request, auto kMethod>
struct CallService {
    service::AppGenerateService* inner;

    Task<Result<service::GenerateResult>> operator()(
        const Request& request, engine::EventSink& sink
    ) const {
        StreamFacts facts(sink);
        auto result = co_await (inner->*kMethod)(request, facts.meter);
        facts.has_result = result.has_value();
        co_return result;
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
    explicit TracedGenerateService(service::AppGenerateService& inner)
        : generate_(AppGenerateHandler{}, CallGenerate{&inner}),
          resume_(AppResumeHandler{}, CallResume{&inner}) {}

    Task<Result<service::GenerateResult>> generate(
        const service::GenerateRequest& request, engine::EventSink& consumer
    ) override {
        return generate_(request, consumer);
    }

    // The run goes on in the trace that it began in, whatever trace the caller is in.
    Task<Result<service::GenerateResult>> resume(
        const service::ResumeRequest& request, engine::EventSink& consumer
    ) override {
        const auto earlier = opentelemetry::context::RuntimeContext::Attach(
            trace::extract([&request](std::string_view name) {
                const auto* header = request.paused.trace.if_contains(name);
                return header == nullptr ? std::string_view() : string_or_empty(*header);
            })
        );
        co_return co_await resume_(request, consumer);
    }

private:
    trace::TracedCallable<AppGenerateHandler, CallGenerate> generate_;
    trace::TracedCallable<AppResumeHandler, CallResume> resume_;
};

class TracedAppRunner final : public service::AppRunner {
public:
    TracedAppRunner(service::AppRunner& inner, std::string name)
        : run_(AppRunnerHandler{std::move(name) + ".run"}, CallRunner{&inner}) {}

    Task<Result<engine::RunResult>> run(const service::AppRun& run, engine::EventSink& consumer)
        override {
        return run_(run, consumer);
    }

private:
    trace::TracedCallable<AppRunnerHandler, CallRunner> run_;
};

}  // namespace

std::unique_ptr<service::AppGenerateService> trace_generate_service(
    service::AppGenerateService& inner
) {
    return std::make_unique<TracedGenerateService>(inner);
}

std::unique_ptr<service::AppRunner> trace_app_runner(service::AppRunner& inner, std::string name) {
    return std::make_unique<TracedAppRunner>(inner, std::move(name));
}

}  // namespace flowspan::observe
