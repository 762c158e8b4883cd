#pragma once
// Metrics of embedding and rerank models, by decorating their interfaces. Wrap what is measured
// directly and trace the result, so that exemplars name the call's own span.

#include "model/embedding_model.hpp"
#include "model/rerank_model.hpp"
#include "observe/instruments.hpp"

#include <memory>

namespace flowspan::observe {

// `inner` and `instruments` must outlive the results.
[[nodiscard]] std::unique_ptr<model::EmbeddingModel> measure_embedding_model(
    model::EmbeddingModel& inner, Instruments& instruments
);
[[nodiscard]] std::unique_ptr<model::RerankModel> measure_rerank_model(
    model::RerankModel& inner, Instruments& instruments
);

}  // namespace flowspan::observe
