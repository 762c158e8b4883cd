#pragma once
// Langfuse keeps scores apart from spans: what a score's span says goes to its ingestion endpoint.

#include "export/span_sink.hpp"

#include <memory>

namespace flowspan::exporting {

/// `inner`, and for every score span a `score-create` beside it, with the same credentials. The id
/// is the span's, so that trying again makes no second score. An endpoint that is not Langfuse's
/// own
/// (`.../api/public/otel/...`) gets the spans alone.
[[nodiscard]] Result<std::shared_ptr<SpanSink>> add_langfuse_scores(
    std::shared_ptr<SpanSink> inner, const OtlpConfig& config
);

}  // namespace flowspan::exporting
