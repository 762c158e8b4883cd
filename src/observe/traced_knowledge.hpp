#pragma once
// `retrieval {data source}` client spans around any KnowledgeStore.

#include "flowspan/trace/capture_policy.hpp"
#include "knowledge/knowledge_store.hpp"

#include <memory>

namespace flowspan::observe {

/// `inner` and `policy` must outlive the result.
[[nodiscard]] std::unique_ptr<knowledge::KnowledgeStore> trace_knowledge(
    knowledge::KnowledgeStore& inner, const trace::CapturePolicy& policy
);

}  // namespace flowspan::observe
