#include "nodes/knowledge_retrieval/retrieval_config.hpp"

#include <utility>

namespace flowspan::nodes::knowledge_retrieval {

namespace {

using knowledge::RerankMode;

void read_multiple(const dsl::DataReader& reader, RetrievalConfig& config) {
    if (!reader.exists()) {
        return;
    }
    config.has_multiple = true;
    config.top_k = reader.required_integer("top_k");
    config.score_threshold = reader.number("score_threshold", 0);
    auto& rerank = config.rerank;
    const auto mode = reader.text("reranking_mode", "reranking_model");
    const auto model = reader.object("reranking_model");
    rerank.provider = model.text("provider");
    rerank.model = model.text("model");
    const auto weights = reader.object("weights");
    const auto vectors = weights.object("vector_setting");
    rerank.vector_weight = vectors.number("vector_weight", 0);
    rerank.embedding_provider = vectors.text("embedding_provider_name");
    rerank.embedding_model = vectors.text("embedding_model_name");
    rerank.keyword_weight = weights.object("keyword_setting").number("keyword_weight", 1);
    if (mode == "reranking_model") {
        const bool has_model = reader.boolean("reranking_enable", true) && !rerank.model.empty();
        rerank.mode = has_model ? RerankMode::model : RerankMode::by_score;
    } else if (mode == "weighted_score") {
        rerank.mode = RerankMode::weighted;
        config.lacks_weights = !weights.exists();
    } else {
        rerank.mode = RerankMode::none;
    }
}

void read_conditions(const dsl::DataReader& reader, RetrievalConfig& config) {
    config.is_any_condition = reader.text("logical_operator", "and") == "or";
    for (const auto& one : reader.objects("conditions")) {
        ConditionTemplate condition;
        condition.name = one.required_text("name");
        const auto comparison =
            knowledge::parse_metadata_operator(one.required_text("comparison_operator"));
        if (!comparison) {
            one.report("comparison_operator", "is no comparison of metadata");
            continue;
        }
        condition.comparison = *comparison;
        const auto* value = one.find("value");
        if (value != nullptr && value->is_string()) {
            condition.text = one.text_template("value");
        } else if (value != nullptr) {
            condition.plain = *value;
        }
        config.conditions.push_back(std::move(condition));
    }
}

}  // namespace

RetrievalConfig read_retrieval_config(const dsl::DataReader& reader) {
    RetrievalConfig config;
    config.query = reader.selector("query_variable_selector");
    config.attachments = reader.selector("query_attachment_selector");
    config.dataset_ids = reader.texts("dataset_ids");
    config.mode = reader.required_enumeration<Mode>(
        "retrieval_mode", {{"single", Mode::single}, {"multiple", Mode::multiple}}, Mode::multiple
    );
    read_multiple(reader.object("multiple_retrieval_config"), config);
    if (const auto single = reader.object("single_retrieval_config"); single.exists()) {
        config.has_single = config.mode == Mode::single;
        if (config.has_single) {
            config.single_model = read_model_config(single, "model");
        }
    }
    config.filtering = reader.enumeration<Filtering>(
        "metadata_filtering_mode",
        {{"disabled", Filtering::disabled},
         {"automatic", Filtering::automatic},
         {"manual", Filtering::manual}},
        Filtering::disabled
    );
    if (config.filtering == Filtering::manual) {
        read_conditions(reader.object("metadata_filtering_conditions"), config);
    }
    if (config.filtering == Filtering::automatic && reader.has("metadata_model_config")) {
        config.metadata_model = read_model_config(reader, "metadata_model_config");
    }
    return config;
}

}  // namespace flowspan::nodes::knowledge_retrieval
