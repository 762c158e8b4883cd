#include "export/trace_deltas.hpp"

#include "export/stored_span.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;

store::TraceDelta& TraceDeltas::find(const SpanRecord& span) {
    auto id = to_hex(span.trace_id);
    const auto [found, is_new] = deltas_.try_emplace(id);
    auto& delta = found->second;
    if (is_new) {
        delta.trace_id = std::move(id);
        delta.start_ns = span.start_ns;
        delta.last_ns = span.end_ns();
    }
    delta.start_ns = std::min(delta.start_ns, span.start_ns);
    delta.last_ns = std::max(delta.last_ns, span.end_ns());
    return delta;
}

void TraceDeltas::add(const SpanRecord& span, Step step, std::size_t row_bytes) {
    auto& delta = find(span);
    // Growing rows are counted by their first size: good enough for the bound that it serves.
    const bool is_new = step == Step::started || step == Step::started_and_ended;
    delta.spans += is_new ? 1 : 0;
    delta.bytes += is_new ? static_cast<std::int64_t>(row_bytes) : 0;
    delta.open += step == Step::started ? 1 : step == Step::ended ? -1 : 0;
    if (span.is_local_root()) {
        // The name of what began it all; of several, the one that ended last.
        delta.root_name = span.name();
        delta.app_id = span.text(names::kDifyAppId);
        delta.app_name = span.text(names::kDifyAppName);
        delta.status = span.text(names::kDifyWorkflowStatus);
    }
    if (step == Step::started || step == Step::changed) {
        return;
    }
    if (span.status() == opentelemetry::trace::StatusCode::kError) {
        ++delta.errors;
    }
    // Only where they were used: the spans above repeat the numbers.
    if (span.kind == opentelemetry::trace::SpanKind::kClient) {
        delta.tokens += std::max<std::int64_t>(0, span.integer(names::kGenAiUsageInputTokens)) +
                        std::max<std::int64_t>(0, span.integer(names::kGenAiUsageOutputTokens));
    }
}

void TraceDeltas::add_interrupted(const SpanRecord& span) {
    auto& delta = find(span);
    ++delta.interrupted;
    if (span.is_local_root()) {
        delta.status = "interrupted";
    }
}

std::vector<store::TraceDelta> TraceDeltas::take() {
    std::vector<store::TraceDelta> deltas;
    deltas.reserve(deltas_.size());
    for (auto& [id, delta] : std::exchange(deltas_, {})) {
        deltas.push_back(std::move(delta));
    }
    return deltas;
}

}  // namespace flowspan::exporting
