#pragma once
// What the data of a knowledge-retrieval node says.

#include "dsl/data_reader.hpp"
#include "knowledge/knowledge_store.hpp"
#include "nodes/model_config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::nodes::knowledge_retrieval {

enum class Mode : std::uint8_t { single, multiple };
enum class Filtering : std::uint8_t { disabled, automatic, manual };

/// A condition whose expected value is still a template.
struct ConditionTemplate {
    std::string name;
    knowledge::MetadataOperator comparison = knowledge::MetadataOperator::is;
    std::optional<value::TextTemplate> text;  ///< of a value that is text
    json::value plain;                        ///< a number, a list, or null
};

struct RetrievalConfig {
    value::Selector query;        ///< may be empty
    value::Selector attachments;  ///< may be empty
    std::vector<std::string> dataset_ids;
    Mode mode = Mode::multiple;
    bool has_multiple = false;
    bool has_single = false;
    ModelConfig single_model;
    std::int64_t top_k = 4;
    double score_threshold = 0;
    knowledge::Rerank rerank;
    bool lacks_weights = false;  ///< weighted_score without `weights` fails when it runs
    Filtering filtering = Filtering::disabled;
    std::vector<ConditionTemplate> conditions;
    bool is_any_condition = false;
    std::optional<ModelConfig> metadata_model;
};

[[nodiscard]] RetrievalConfig read_retrieval_config(const dsl::DataReader& reader);

}  // namespace flowspan::nodes::knowledge_retrieval
