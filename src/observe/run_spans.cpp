#include "observe/run_spans.hpp"

#include "flowspan/trace/names.hpp"
#include "observe/node_attributes.hpp"
#include "observe/run_outcome.hpp"

#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/span_startoptions.h>

#include <utility>

namespace context = opentelemetry::context;
namespace otel = opentelemetry::trace;
namespace nostd = opentelemetry::nostd;

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

nostd::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

// Node types are a closed list, so the span's name has a low cardinality; the title is data.
std::string node_span_name(std::string_view type) {
    std::string name = "node ";
    name += type;
    return name;
}

}  // namespace

void OpenSpan::make_current() {
    auto current = context::RuntimeContext::GetCurrent();
    token = context::RuntimeContext::Attach(otel::SetSpan(current, span));
}

RunSpans::RunSpans(const engine::RunView& run, const trace::CapturePolicy& policy)
    : policy_(policy) {
    const auto& info = run.info();
    workflow_.span = trace::tracer().StartSpan("invoke_workflow " + info.app_name);
    if (workflow_.span->IsRecording()) {
        auto& span = *workflow_.span;
        set(span, names::kGenAiOperationName, "invoke_workflow");
        set(span, names::kGenAiWorkflowName, info.app_name);
        set(span, names::kGenAiFramework, "dify");
        set(span, names::kDifyAppId, info.app_id);
        set(span, names::kDifyWorkflowId, info.workflow_id);
        set(span, names::kDifyWorkflowRunId, info.run_id);
        set(span, names::kDifyTaskId, info.task_id);
        if (!info.conversation_id.empty()) {
            set(span, names::kGenAiConversationId, info.conversation_id);
        }
    }
    workflow_.make_current();
}

trace::SpanPtr RunSpans::start_node_span(const engine::NodeRun& node) const {
    otel::StartSpanOptions options;
    options.start_system_time = node.started_at_utc;
    options.start_steady_time = node.started_at;
    auto span = trace::tracer().StartSpan(
        view(node_span_name(node.node_type)),
        {
            {names::kNodeId, view(node.node_id)},
            {names::kNodeType, view(node.node_type)},
            {names::kNodeExecutionId, view(node.execution_id)},
            {names::kDifyNodeTitle, view(node.title)},
            {names::kDifyNodeIndex, node.index},
            {names::kGenAiSpanKind, view(span_kind_of(node.node_type))},
            {names::kFlowspanReadyDelay, seconds(node.started_at - node.ready_at)},
        },
        options
    );
    const auto& position = *node.container;
    if (!position.iteration_id.empty()) {
        set(*span, names::kDifyIterationId, position.iteration_id);
        set(*span, names::kDifyIterationIndex, position.iteration_index);
    }
    if (!position.loop_id.empty()) {
        set(*span, names::kDifyLoopId, position.loop_id);
        set(*span, names::kDifyLoopIndex, position.loop_index);
    }
    if (node.predecessors.size() > 1) {
        // With one predecessor the order in time says it; a join is worth naming.
        const std::vector<std::string> ids(node.predecessors.begin(), node.predecessors.end());
        set(*span, names::kDifyNodePredecessors, std::span<const std::string>(ids));
    }
    return span;
}

void RunSpans::start_attempt(ActiveNode& active, const engine::NodeRun& node) const {
    active.attempt.span = trace::tracer().StartSpan(
        "node.attempt", {{names::kFlowspanAttempt, static_cast<std::int64_t>(node.attempt)}}
    );
    if (node.attempt > 0) {
        set(*active.attempt.span, names::kFlowspanAttemptDelay, active.retry_delay);
        set(*active.attempt.span, names::kFlowspanAttemptCause, active.retry_cause);
    }
    active.attempt.make_current();
}

void RunSpans::start_node(const engine::NodeRun& node, ObservabilityLayer::Counters& counters) {
    const std::scoped_lock lock(mutex_);
    auto [found, is_new] = nodes_.try_emplace(node.execution_id);
    auto& active = found->second;
    if (is_new) {
        active.node.span = start_node_span(node);
    } else if (!active.body_end) {
        counters.repeated_starts.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    active.body_end.reset();
    active.node.make_current();
    if (node.attempts_max > 1) {
        start_attempt(active, node);
    }
}

void RunSpans::end(trace::Span& span, const std::optional<SteadyTime>& at) {
    otel::EndSpanOptions options;
    if (at) {
        options.end_steady_time = *at;
    }
    span.End(options);
}

void RunSpans::end_body(
    const engine::NodeRun& node, const Error* error, ObservabilityLayer::Counters& counters
) {
    const std::scoped_lock lock(mutex_);
    const auto found = nodes_.find(node.execution_id);
    if (found == nodes_.end() || found->second.body_end) {
        counters.ends_without_start.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    auto& active = found->second;
    active.body_end = std::chrono::steady_clock::now();
    const bool is_cancelled = error != nullptr && error->type == "cancelled";
    if (active.attempt.span) {
        if (is_cancelled) {
            trace::record_cancelled(*active.attempt.span, error->message);
        } else if (error != nullptr) {
            Error copy = *error;
            trace::record_error(*active.attempt.span, copy);
        }
        end(*active.attempt.span, active.body_end);
        active.attempt.release();
        active.attempt.span = trace::SpanPtr();
    }
    active.node.release();
    if (is_cancelled) {
        // No result event follows a cancelled body.
        trace::record_cancelled(*active.node.span, error->message);
        set(*active.node.span, names::kDifyNodeStatus, "stopped");
        active.has_result = true;
    }
    if (active.has_result) {
        end(*active.node.span, active.body_end);
        nodes_.erase(found);
    }
}

void RunSpans::note_retry(const engine::NodeRunRetry& retry) {
    const std::scoped_lock lock(mutex_);
    const auto found = nodes_.find(retry.node->execution_id);
    if (found == nodes_.end()) {
        return;
    }
    found->second.retry_delay = seconds(retry.delay);
    const auto& error = *retry.result->error;
    found->second.retry_cause =
        error.type.empty() ? std::string(to_string(error.code)) : error.type;
}

void RunSpans::take_result(
    const engine::NodeRun& node,
    const engine::NodeResult& result,
    ObservabilityLayer::Counters& counters
) {
    const std::scoped_lock lock(mutex_);
    const auto found = nodes_.find(node.execution_id);
    if (found == nodes_.end()) {
        counters.late_results.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    auto& active = found->second;
    active.has_result = true;
    if (active.node.span->IsRecording()) {
        write_node_result(*active.node.span, node, result, policy_);
    }
    if (active.body_end) {
        end(*active.node.span, active.body_end);
        nodes_.erase(found);
    }
}

void RunSpans::start_round(const engine::FrameStarted& round) {
    OpenSpan open;
    const bool is_loop = round.kind == "loop";
    open.span = trace::tracer().StartSpan(
        is_loop ? "loop.round" : "iteration.round",
        {
            {is_loop ? names::kDifyLoopId : names::kDifyIterationId, view(round.node->node_id)},
            {is_loop ? names::kDifyLoopIndex : names::kDifyIterationIndex, round.index},
        }
    );
    open.make_current();
    const std::scoped_lock lock(mutex_);
    rounds_.insert_or_assign(round.frame, std::move(open));
}

void RunSpans::end_round(const engine::FrameEnded& round) {
    const std::scoped_lock lock(mutex_);
    const auto found = rounds_.find(round.frame);
    if (found == rounds_.end()) {
        return;
    }
    if (round.error != nullptr) {
        Error copy = *round.error;
        copy.is_recorded = true;
        trace::record_error(*found->second.span, copy);
    }
    found->second.span->End();
    found->second.release();
    rounds_.erase(found);
}

void RunSpans::close(
    const engine::RunView& run, const Error* error, ObservabilityLayer::Counters& counters
) {
    const std::scoped_lock lock(mutex_);
    for (auto& [id, active] : nodes_) {
        counters.leftovers.fetch_add(1, std::memory_order_relaxed);
        set(*active.node.span, names::kFlowspanEndReason, "the run ended first");
        if (active.attempt.span) {
            end(*active.attempt.span, active.body_end);
        }
        end(*active.node.span, active.body_end);
    }
    nodes_.clear();
    for (auto& [frame, open] : rounds_) {
        counters.leftovers.fetch_add(1, std::memory_order_relaxed);
        set(*open.span, names::kFlowspanEndReason, "the run ended first");
        open.span->End();
    }
    rounds_.clear();
    auto& span = *workflow_.span;
    if (span.IsRecording()) {
        write_run_end(span, run.status(), error);
        set(span, names::kDifyWorkflowTotalTokens, run.total_tokens());
        set(span, names::kDifyWorkflowSteps, run.step_count());
        if (run.total_price() > 0) {
            set(span, names::kDifyWorkflowTotalPrice, run.total_price());
        }
    }
    span.End();
    workflow_.release();
}

}  // namespace flowspan::observe
