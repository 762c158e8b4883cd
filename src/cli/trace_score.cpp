#include "cli/trace_score.hpp"

#include "cli/terminal.hpp"
#include "cli/trace_setup.hpp"
#include "cli/trace_store.hpp"
#include "export/stored_trace.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/propagation.hpp"
#include "flowspan/trace/score.hpp"

#include <fmt/format.h>
#include <opentelemetry/trace/context.h>

#include <optional>
#include <string>

namespace flowspan::cli {

namespace {

namespace names = trace::names;
using opentelemetry::trace::SpanContext;

struct Target {
    std::string trace_id;
    std::string span_id;
    std::string session_id;
};

/// The trace's root, as the local store has it.
Result<Target> find_target(const Config& config, const TraceOptions& options) {
    if (!options.span_id.empty()) {
        return Target{options.trace_id, options.span_id, {}};
    }
    const auto found = find_trace_store(config.trace.store, options.store);
    if (!found) {
        return failure(
            ErrorCode::not_found, "the trace store is switched off; name a span with --span"
        );
    }
    FLOWSPAN_TRY(
        const auto store, store::SpanStore::open({.path = found->path, .is_read_only = true})
    );
    FLOWSPAN_TRY(const auto trace, exporting::find_trace(*store, options.trace_id));
    FLOWSPAN_TRY(const auto parts, exporting::read_trace(*store, trace.trace_id, trace.last_ns));
    exporting::SpanRecordPtr root;
    for (const auto& span : exporting::all_spans(parts)) {
        const bool is_root = !span->parent_span_id.IsValid() || span->is_parent_remote;
        if (is_root && !span->has(names::kGenAiEvaluationName) &&
            (root == nullptr || span->start_ns < root->start_ns)) {
            root = span;
        }
    }
    if (root == nullptr) {
        return failure(
            ErrorCode::not_found,
            fmt::format("trace {} has no root here; name a span with --span", trace.trace_id)
        );
    }
    std::string span_id(2 * opentelemetry::trace::SpanId::kSize, '0');
    root->span_id.ToLowerBase16(
        opentelemetry::nostd::span<char, 2 * opentelemetry::trace::SpanId::kSize>(
            span_id.data(), span_id.size()
        )
    );
    return Target{
        trace.trace_id, std::move(span_id), std::string(root->text(names::kGenAiConversationId))
    };
}

/// Feedback is never sampled away.
Result<SpanContext> to_context(const Target& target) {
    const auto header = fmt::format("00-{}-{}-01", target.trace_id, target.span_id);
    const auto context = trace::extract([&header](std::string_view name) {
        return name == "traceparent" ? std::string_view(header) : std::string_view();
    });
    auto found = opentelemetry::trace::GetSpan(context)->GetContext();
    if (!found.IsValid()) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format(
                "`{}` and `{}` are no trace and span id (32 and 16 hexadecimal digits)",
                target.trace_id,
                target.span_id
            )
        );
    }
    return found;
}

Result<exporting::ShutdownReport> send(const Config& config, const TraceOptions& options) {
    if (!options.score_value && options.score_label.empty()) {
        return failure(ErrorCode::invalid_input, "give a --value, a --label, or both");
    }
    FLOWSPAN_TRY(const auto policy, make_capture_policy(config));
    FLOWSPAN_TRY(const auto target, find_target(config, options));
    FLOWSPAN_TRY(const auto context, to_context(target));
    auto telemetry_config = make_telemetry_config(config, policy);
    telemetry_config.service_version = FLOWSPAN_VERSION;
    telemetry_config.store = find_trace_store(config.trace.store, options.store);
    FLOWSPAN_TRY(const auto telemetry, exporting::Telemetry::start(std::move(telemetry_config)));
    trace::record_score(
        {.name = options.score_name,
         .value = options.score_value,
         .label = options.score_label,
         .comment = options.score_comment,
         .source = options.score_source,
         .session_id = target.session_id,
         .is_of_step = !options.span_id.empty()},
        context
    );
    // One span for each receiver; nothing else waits here.
    return telemetry->shutdown(std::chrono::seconds(15));
}

}  // namespace

ExitCode run_trace_score(const TraceOptions& options) {
    const auto config = load_config(options.config);
    const auto report = config ? send(*config, options) : failure(config.error());
    if (!report) {
        write_error("flowspan: " + report.error().full_text() + "\n");
        return ExitCode::bad_usage;
    }
    for (const auto& message : report->messages) {
        write_error("flowspan: " + message + "\n");
    }
    return report->lost > 0 ? ExitCode::run_failed : ExitCode::done;
}

}  // namespace flowspan::cli
