#pragma once
// Traces read back from the local store.

#include "export/span_sink.hpp"
#include "store/span_store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

/// Spans of one process.
struct StoredPart {
    store::ProcessRow process;
    std::vector<SpanRecordPtr> spans;
};

/// The one trace whose id begins so, or with a UUID on one of its spans: a run's, a message's, a
/// node execution's. `not_found` without any, `invalid_input` with several or if it is no id.
[[nodiscard]] Result<store::TraceRow> find_trace(store::SpanStore& store, std::string_view prefix);

/// In order of the processes' start. Spans that run have the duration up to `now_ns`.
[[nodiscard]] Result<std::vector<StoredPart>> read_trace(
    store::SpanStore& store, std::string_view trace_id, std::int64_t now_ns
);

/// All spans of the parts.
[[nodiscard]] std::vector<SpanRecordPtr> all_spans(const std::vector<StoredPart>& parts);

}  // namespace flowspan::exporting
