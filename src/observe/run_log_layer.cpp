#include "observe/run_log_layer.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"

#include <opentelemetry/trace/context.h>

#include <string>
#include <vector>

namespace flowspan::observe {

namespace names = trace::names;

namespace {

struct Line {
    std::string_view event;
    trace::LogSeverity severity = trace::LogSeverity::info;
    std::string_view body;
    std::vector<trace::LogAttribute> attributes;
};

void write(const engine::RunView& run, Line line) {
    line.attributes.push_back({names::kDifyWorkflowRunId, std::string_view(run.info().run_id)});
    trace::LogEvent event;
    event.name = line.event;
    event.severity = line.severity;
    event.body = line.body;
    event.attributes = line.attributes;
    event.span = opentelemetry::trace::GetSpan(trace::current_context())->GetContext();
    trace::emit_log(event);
}

std::string_view type_of(const Error& error) {
    return error.type.empty() ? to_string(error.code) : std::string_view(error.type);
}

std::vector<trace::LogAttribute> describe(const engine::NodeRun& node) {
    return {
        {names::kNodeId, node.node_id},
        {names::kNodeType, node.node_type},
        {names::kNodeExecutionId, std::string_view(node.execution_id)},
    };
}

void write_failure(
    const engine::RunView& run,
    const engine::NodeRun& node,
    const engine::NodeResult& result,
    std::string_view event
) {
    auto attributes = describe(node);
    attributes.push_back({names::kErrorType, type_of(*result.error)});
    if (!result.error_strategy.empty()) {
        attributes.push_back(
            {names::kDifyNodeErrorStrategy, std::string_view(result.error_strategy)}
        );
    }
    const auto words = result.error->describe();
    write(run, {event, trace::LogSeverity::warn, words, std::move(attributes)});
}

}  // namespace

void RunLogLayer::on_graph_start(engine::RunView& run) {
    if (trace::has_log_receiver()) {
        write(
            run,
            {names::kLogRunStarted,
             trace::LogSeverity::info,
             run.info().app_name,
             {{names::kDifyAppMode, std::string_view(run.info().app_mode)}}}
        );
    }
}

void RunLogLayer::on_event(engine::RunView& run, const engine::Event& event) {
    if (!trace::has_log_receiver()) {
        return;
    }
    if (const auto* failed = std::get_if<engine::NodeRunFailed>(&event)) {
        write_failure(run, *failed->node, *failed->result, names::kLogNodeFailed);
    } else if (const auto* handled = std::get_if<engine::NodeRunException>(&event)) {
        write_failure(run, *handled->node, *handled->result, names::kLogNodeHandled);
    } else if (const auto* retry = std::get_if<engine::NodeRunRetry>(&event)) {
        write_failure(run, *retry->node, *retry->result, names::kLogNodeRetried);
    } else if (const auto* warning = std::get_if<engine::NodeRunWarning>(&event)) {
        auto attributes = describe(*warning->node);
        attributes.push_back({names::kFlowspanWarningCode, warning->code});
        write(
            run,
            {names::kFlowspanWarningEvent,
             trace::LogSeverity::warn,
             warning->message,
             std::move(attributes)}
        );
    }
}

void RunLogLayer::on_graph_end(engine::RunView& run, const Error* error) {
    if (!trace::has_log_receiver()) {
        return;
    }
    const auto words = error == nullptr ? std::string() : error->describe();
    Line line{
        names::kLogRunEnded,
        error == nullptr ? trace::LogSeverity::info : trace::LogSeverity::error,
        words,
        {{names::kDifyWorkflowStatus, engine::to_string(run.status())},
         {names::kDifyWorkflowTotalTokens, run.total_tokens()}},
    };
    if (error != nullptr) {
        line.attributes.push_back({names::kErrorType, type_of(*error)});
    }
    write(run, std::move(line));
}

}  // namespace flowspan::observe
