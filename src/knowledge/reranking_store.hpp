#pragma once
// A store whose results are put in order by models, where a request asks for it.

#include "knowledge/knowledge_store.hpp"
#include "model/embedding_model.hpp"
#include "model/rerank_model.hpp"

#include <memory>

namespace flowspan::knowledge {

/// Requests that name a rerank model, or weights and an embedding model, get more candidates from
/// `inner` and have them ordered by what the model says, if an endpoint is configured for it; all
/// others are `inner`'s alone. A model that fails fails the request. The references must outlive
/// the result.
[[nodiscard]] std::unique_ptr<KnowledgeStore> make_reranking_store(
    KnowledgeStore& inner, model::RerankModel& rerank, model::EmbeddingModel& embedding
);

}  // namespace flowspan::knowledge
