#pragma once
// What a model decides for a retrieval: which dataset to ask, and which metadata are meant.

#include "flowspan/engine/node.hpp"
#include "knowledge/knowledge_store.hpp"
#include "nodes/model_config.hpp"
#include "nodes/services.hpp"

#include <string>
#include <vector>

namespace flowspan::nodes::knowledge_retrieval {

/// The index of the dataset that fits the question. One needs no model; if the model fails or names
/// none of them it is the first, with a warning. `datasets` must not be empty.
[[nodiscard]] Task<std::size_t> choose_dataset(
    engine::NodeContext& context,
    const Services& services,
    const ModelConfig& config,
    std::string query,
    std::vector<knowledge::Dataset> datasets
);

/// What the question says about `fields`; no conditions, with a warning, if the model fails.
[[nodiscard]] Task<knowledge::MetadataFilter> choose_filter(
    engine::NodeContext& context,
    const Services& services,
    const ModelConfig& config,
    std::string query,
    std::vector<std::string> fields
);

}  // namespace flowspan::nodes::knowledge_retrieval
