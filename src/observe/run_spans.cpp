#include "observe/run_spans.hpp"

#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"
#include "observe/node_attributes.hpp"
#include "observe/run_outcome.hpp"

#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/span_startoptions.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <utility>

namespace context = opentelemetry::context;
namespace otel = opentelemetry::trace;
namespace nostd = opentelemetry::nostd;

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

using Attribute = std::pair<nostd::string_view, opentelemetry::common::AttributeValue>;

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

void count(std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
}

void end(trace::Span& span, const std::optional<SteadyTime>& at) {
    otel::EndSpanOptions options;
    if (at) {
        options.end_steady_time = *at;
    }
    span.End(options);
}

void write_waits(trace::Span& span, const async::WaitLedger& waits) {
    static constexpr std::pair<async::WaitKind, std::string_view> kNames[] = {
        {async::WaitKind::worker, names::kFlowspanWaitWorker},
        {async::WaitKind::rate_limit, names::kFlowspanWaitRateLimit},
        {async::WaitKind::retry, names::kFlowspanWaitRetry},
        {async::WaitKind::provider, names::kFlowspanWaitProvider},
    };
    for (const auto& [kind, name] : kNames) {
        if (const auto sum = waits.sum(kind); sum.count() > 0) {
            set(span, name, seconds(sum));
        }
    }
}

// Results that come after that many later ends can no longer be told to their span.
constexpr std::size_t kEndedMax = 128;

constexpr const char* kRunEndedFirst = "the run ended first";

}  // namespace

RunSpans::RunSpans(const engine::RunView& run, SpanShop shop) : shop_(shop) {
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
    // All that tells which node it is stands there from the start, also if the process is killed.
    std::array<Attribute, 11> attributes{{
        {names::kNodeId, view(node.node_id)},
        {names::kNodeType, view(node.node_type)},
        {names::kNodeExecutionId, view(node.execution_id)},
        {names::kDifyNodeTitle, view(node.title)},
        {names::kDifyNodeIndex, node.index},
        {names::kGenAiSpanKind, view(span_kind_of(node.node_type))},
        {names::kFlowspanReadyDelay, seconds(node.started_at - node.ready_at)},
    }};
    std::size_t count = 7;
    const auto& position = *node.container;
    if (!position.iteration_id.empty()) {
        attributes[count++] = {names::kDifyIterationId, view(position.iteration_id)};
        attributes[count++] = {names::kDifyIterationIndex, position.iteration_index};
    }
    if (!position.loop_id.empty()) {
        attributes[count++] = {names::kDifyLoopId, view(position.loop_id)};
        attributes[count++] = {names::kDifyLoopIndex, position.loop_index};
    }
    auto span = trace::tracer().StartSpan(
        view(node_span_name(node.node_type)),
        std::span<const Attribute>(attributes.data(), count),
        links_to_predecessors(node),
        options
    );
    if (node.predecessors.size() > 1) {
        // With one predecessor the order in time says it; a join is worth naming.
        const std::vector<std::string> ids(node.predecessors.begin(), node.predecessors.end());
        set(*span, names::kDifyNodePredecessors, std::span<const std::string>(ids));
    }
    return span;
}

// The newest: a frame may stand where an earlier round's stood.
const RunSpans::EndedNode* RunSpans::find_ended(std::string_view node_id, const void* frame) const {
    for (std::size_t i = 0; i < ended_.size(); ++i) {
        const auto& ended = ended_[(ended_count_ - 1 - i) % kEndedMax];
        if (ended.frame == frame && ended.node_id == node_id) {
            return &ended;
        }
    }
    return nullptr;
}

// A join waits for all of them; with one predecessor the order in time says it.
std::vector<RunSpans::SpanLink> RunSpans::links_to_predecessors(const engine::NodeRun& node) const {
    std::vector<SpanLink> links;
    if (node.predecessors.size() < 2) {
        return links;
    }
    for (const auto id : node.predecessors) {
        if (const auto* ended = find_ended(id, node.container)) {
            links.emplace_back(
                ended->context,
                std::map<std::string, std::string>{{names::kNodeId, std::string(id)}}
            );
        }
    }
    return links;
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

void RunSpans::start_node(const engine::NodeRun& node) {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) {
        count(shop_.counters.hooks_after_end);
        return;
    }
    end_expired();
    auto [found, is_new] = nodes_.try_emplace(node.execution_id);
    auto& active = found->second;
    if (is_new) {
        active.node.span = start_node_span(node);
        active.waits = std::make_shared<async::WaitLedger>();
        active.node_id = node.node_id;
        active.frame = node.container;
    } else if (!active.body_end) {
        count(shop_.counters.repeated_starts);
        return;
    } else {
        --waiting_;
        active.waits->add(async::WaitKind::retry, node.started_at - *active.body_end);
        active.body_end.reset();
    }
    if (auto* task = async::current_task()) {
        task->set_waits(active.waits);
    }
    active.node.make_current();
    if (node.attempts_max > 1) {
        start_attempt(active, node);
    }
    active.retry_cause.clear();
}

void RunSpans::end_attempt(ActiveNode& active, const Error* error) {
    auto& span = *active.attempt.span;
    if (error != nullptr && error->type == "cancelled") {
        trace::record_cancelled(span, error->message);
    } else if (error != nullptr && error->type != "paused") {
        Error copy = *error;
        trace::record_error(span, copy);
        active.is_error_recorded = true;
    }
    end(span, active.body_end);
    active.attempt.release();
    active.attempt.span = trace::SpanPtr();
}

void RunSpans::end_body(const engine::NodeRun& node, const Error* error) {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) {
        count(shop_.counters.hooks_after_end);
        // Releases what was current in this task.
        stragglers_.erase(node.execution_id);
        return;
    }
    const auto found = nodes_.find(node.execution_id);
    if (found == nodes_.end() || found->second.body_end) {
        count(shop_.counters.ends_without_start);
        return;
    }
    auto& active = found->second;
    active.body_end = std::chrono::steady_clock::now();
    if (active.attempt.span) {
        end_attempt(active, error);
    }
    active.node.release();
    if (auto* task = async::current_task(); task != nullptr && task->waits() == active.waits) {
        task->set_waits(nullptr);
    }
    if (error != nullptr && error->type == "cancelled") {
        // No result event follows a cancelled body.
        trace::record_cancelled(*active.node.span, error->message);
        set(*active.node.span, names::kDifyNodeStatus, "stopped");
        active.has_result = true;
    } else if (error != nullptr && error->type == "paused") {
        // A container in the middle of its rounds: the run that goes on has another span for it.
        set(*active.node.span, names::kDifyNodeStatus, "paused");
        active.has_result = true;
    }
    if (active.has_result) {
        end_node(found);
    } else {
        ++waiting_;
    }
}

void RunSpans::end_node(ActiveNodes::iterator at) {
    auto& active = at->second;
    auto& span = *active.node.span;
    if (span.IsRecording()) {
        write_waits(span, *active.waits);
    }
    end(span, active.body_end);
    EndedNode ended{at->first, active.node_id, active.frame, span.GetContext()};
    if (ended_.size() < kEndedMax) {
        ended_.push_back(std::move(ended));
    } else {
        ended_[ended_count_ % kEndedMax] = std::move(ended);
    }
    ++ended_count_;
    nodes_.erase(at);
}

void RunSpans::end_expired() {
    if (waiting_ == 0) {
        return;
    }
    const auto oldest = std::chrono::steady_clock::now() - shop_.grace_period;
    for (auto at = nodes_.begin(); at != nodes_.end();) {
        const auto next = std::next(at);
        const auto& active = at->second;
        // A node that waits for its next attempt is not late.
        if (active.body_end && *active.body_end < oldest && active.retry_cause.empty()) {
            count(shop_.counters.expired);
            set(*active.node.span, names::kFlowspanEndReason, "no result came in time");
            --waiting_;
            end_node(at);
        }
        at = next;
    }
}

void RunSpans::note_retry(const engine::NodeRunRetry& retry) {
    const std::scoped_lock lock(mutex_);
    const auto found = nodes_.find(retry.node->execution_id);
    if (found == nodes_.end()) {
        report_late(*retry.node, "retry", "");
        return;
    }
    found->second.retry_delay = seconds(retry.delay);
    const auto& error = *retry.result->error;
    found->second.retry_cause =
        error.type.empty() ? std::string(to_string(error.code)) : error.type;
}

void RunSpans::note_warning(const engine::NodeRunWarning& warning) {
    const std::scoped_lock lock(mutex_);
    const auto found = nodes_.find(warning.node->execution_id);
    if (found == nodes_.end()) {
        report_late(*warning.node, "warning", warning.code);
        return;
    }
    found->second.node.span->AddEvent(
        names::kFlowspanWarningEvent,
        {{names::kFlowspanWarningCode, view(warning.code)},
         {names::kFlowspanWarningText, view(warning.message)}}
    );
}

void RunSpans::write_result(
    ActiveNode& active, const engine::NodeRun& node, const engine::NodeResult& result
) {
    auto& span = *active.node.span;
    if (!span.IsRecording()) {
        return;
    }
    const auto guarded = [&](const auto& parse) {
        // A parser may be a program's own code, and observing never breaks a run.
        try {
            parse();
        } catch (...) {
            count(shop_.counters.parser_failures);
        }
    };
    // What a container failed with is what its round failed with; the event stands there.
    const bool is_recorded =
        active.is_error_recorded || (result.error && !active.round_error.empty() &&
                                     result.error->message == active.round_error);
    guarded([&] { write_node_result(span, node, result, shop_.policy, is_recorded); });
    for (const auto& parser : shop_.parsers) {
        guarded([&] { parser(span, node, result); });
    }
}

void RunSpans::take_result(const engine::NodeRun& node, const engine::NodeResult& result) {
    const std::scoped_lock lock(mutex_);
    const auto found = nodes_.find(node.execution_id);
    if (found == nodes_.end() || found->second.has_result) {
        report_late(node, "result", engine::to_string(result.status));
        return;
    }
    auto& active = found->second;
    active.has_result = true;
    write_result(active, node, result);
    if (active.body_end) {
        --waiting_;
        end_node(found);
    }
}

void RunSpans::report_late(
    const engine::NodeRun& node, std::string_view kind, std::string_view text
) {
    count(shop_.counters.late_events);
    const auto found = std::ranges::find(ended_, node.execution_id, &EndedNode::execution_id);
    const trace::LogAttribute attributes[] = {
        {names::kNodeId, node.node_id},
        {names::kNodeType, node.node_type},
        {names::kNodeExecutionId, std::string_view(node.execution_id)},
        {names::kFlowspanLateEventKind, kind},
    };
    trace::LogEvent event;
    event.name = names::kFlowspanLateEvent;
    event.severity = trace::LogSeverity::warn;
    event.body = text;
    event.attributes = attributes;
    event.span = found != ended_.end() ? found->context : workflow_.span->GetContext();
    trace::emit_log(event);
}

void RunSpans::start_round(const engine::FrameStarted& round) {
    const bool is_loop = round.kind == "loop";
    const std::scoped_lock lock(mutex_);
    if (is_closed_) {
        count(shop_.counters.hooks_after_end);
        return;
    }
    OpenSpan open;
    open.span = trace::tracer().StartSpan(
        is_loop ? "loop.round" : "iteration.round",
        {
            {is_loop ? names::kDifyLoopId : names::kDifyIterationId, view(round.node->node_id)},
            {is_loop ? names::kDifyLoopIndex : names::kDifyIterationIndex, round.index},
        }
    );
    if (!is_loop) {
        // All items are there from the start; a round of a loop is not, before the last one ended.
        set(*open.span,
            names::kFlowspanRoundDelay,
            seconds(round.started_at - round.node->started_at));
    }
    open.make_current();
    rounds_.insert_or_assign(round.frame, std::move(open));
}

void RunSpans::end_round(const engine::FrameEnded& round) {
    const std::scoped_lock lock(mutex_);
    const auto found = rounds_.find(round.frame);
    if (found == rounds_.end()) {
        count(is_closed_ ? shop_.counters.hooks_after_end : shop_.counters.ends_without_start);
        return;
    }
    if (round.error != nullptr) {
        Error copy = *round.error;
        copy.is_recorded = true;
        trace::record_error(*found->second.span, copy);
        if (const auto container = nodes_.find(round.node->execution_id);
            container != nodes_.end()) {
            container->second.round_error = round.error->message;
        }
    }
    if (round.is_paused) {
        set(*found->second.span, names::kFlowspanEndReason, "the run was paused");
    }
    found->second.span->End();
    found->second.release();
    rounds_.erase(found);
}

void RunSpans::close_nodes() {
    for (auto at = nodes_.begin(); at != nodes_.end();) {
        const auto next = std::next(at);
        auto& active = at->second;
        if (active.body_end && !active.retry_cause.empty()) {
            // The run's end cut the wait for the next attempt short.
            trace::record_cancelled(*active.node.span, "the node was cancelled");
            set(*active.node.span, names::kDifyNodeStatus, "stopped");
            active.body_end.reset();
            end_node(at);
            at = next;
            continue;
        }
        count(shop_.counters.leftovers);
        set(*active.node.span, names::kFlowspanEndReason, kRunEndedFirst);
        if (active.attempt.span) {
            end(*active.attempt.span, active.body_end);
        }
        if (!active.body_end) {
            // Its task still runs and must release what is current there itself.
            auto& straggler = stragglers_[at->first];
            straggler.node.current = std::move(active.node.current);
            straggler.attempt.current = std::move(active.attempt.current);
        }
        end_node(at);
        at = next;
    }
}

void RunSpans::close_rounds() {
    for (auto& [frame, open] : rounds_) {
        count(shop_.counters.leftovers);
        set(*open.span, names::kFlowspanEndReason, kRunEndedFirst);
        open.span->End();
    }
    rounds_.clear();
}

void RunSpans::close(const engine::RunView& run, const Error* error) {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(is_closed_, true)) {
        count(shop_.counters.hooks_after_end);
        return;
    }
    close_nodes();
    close_rounds();
    auto& span = *workflow_.span;
    if (span.IsRecording()) {
        write_run_end(span, run.status(), error);
        set(span, names::kDifyWorkflowTotalTokens, run.total_tokens());
        set(span, names::kDifyWorkflowSteps, run.step_count());
        if (run.total_price() > 0) {
            set(span, names::kDifyWorkflowTotalPrice, run.total_price());
        }
        if (run.exceptions_count() > 0) {
            set(span, names::kDifyWorkflowExceptions, run.exceptions_count());
        }
    }
    span.End();
    workflow_.release();
}

}  // namespace flowspan::observe
