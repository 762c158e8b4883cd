#pragma once
// The `embeddings {model}` and `rerank {model}` spans.

#include "flowspan/trace/capture_policy.hpp"
#include "model/embedding_model.hpp"
#include "model/rerank_model.hpp"

#include <memory>

namespace flowspan::observe {

// `inner` and `policy` must outlive the results.
[[nodiscard]] std::unique_ptr<model::EmbeddingModel> trace_embedding_model(
    model::EmbeddingModel& inner, const trace::CapturePolicy& policy
);
[[nodiscard]] std::unique_ptr<model::RerankModel> trace_rerank_model(
    model::RerankModel& inner, const trace::CapturePolicy& policy
);

}  // namespace flowspan::observe
