// Finds what datasets say about a question.

#include "flowspan/base/text.hpp"
#include "knowledge/knowledge_store.hpp"
#include "nodes/knowledge_retrieval/model_choices.hpp"
#include "nodes/knowledge_retrieval/retrieval_config.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::knowledge_retrieval {

namespace {

using value::ValueType;

json::object to_json(const knowledge::FoundSegment& found, std::int64_t position) {
    return {
        {"title", found.document_name},
        {"content", found.content},
        {"files", nullptr},
        {"summary", nullptr},
        {"metadata",
         {{"_source", "knowledge"},
          {"position", position},
          {"dataset_id", found.dataset_id},
          {"dataset_name", found.dataset_name},
          {"document_id", found.document_id},
          {"document_name", found.document_name},
          {"data_source_type", found.source_type},
          {"segment_id", found.id},
          {"retriever_from", "workflow"},
          {"score", found.score},
          {"child_chunks", json::array()},
          {"segment_hit_count", 0},
          {"segment_word_count", count_code_points(found.content)},
          {"segment_position", found.position},
          {"segment_index_node_hash", nullptr},
          {"doc_metadata", found.document_metadata}}},
    };
}

// A value that is exactly one reference keeps its type, if that is a number.
json::value resolve_value(engine::NodeContext& context, const ConditionTemplate& condition) {
    if (!condition.text) {
        return condition.plain;
    }
    const auto& segments = condition.text->segments();
    if (segments.size() == 1 && segments.front().is_placeholder) {
        const auto found = context.variables().find(segments.front().selector);
        if (found && found->json().is_number()) {
            return found->json();
        }
        if (found && found->is_none()) {
            return nullptr;
        }
    }
    return json::value(resolve(context, *condition.text));
}

class KnowledgeRetrievalNode final : public engine::Node {
public:
    KnowledgeRetrievalNode(RetrievalConfig config, const Services& services)
        : config_(std::move(config)), services_(services) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        if (config_.query.empty() && config_.attachments.empty()) {
            co_return engine::NodeOutcome();
        }
        FLOWSPAN_CO_TRY(const auto query, read_query(context));
        FLOWSPAN_CO_TRY([[maybe_unused]] const bool is_valid, check_attachments(context));
        engine::RetrievalFacts facts{config_.dataset_ids, 0, config_.top_k};
        context.record().facts = facts;
        if (trim(query).empty() || config_.dataset_ids.empty()) {
            co_return outcome_of({});
        }
        if (config_.mode == Mode::single && !config_.has_single) {
            co_return failure(Error(
                                  ErrorCode::invalid_input,
                                  "single_retrieval_config is required for single retrieval mode"
            )
                                  .with_type("ValueError"));
        }
        if (config_.mode == Mode::multiple && config_.lacks_weights) {
            co_return failure(
                Error(ErrorCode::invalid_input, "weights is required").with_type("ValueError")
            );
        }
        auto found = co_await retrieve(context, query);
        if (!found) {
            auto error = std::move(found).error();
            error.type = "KnowledgeRetrievalNodeError";
            co_return failure(std::move(error));
        }
        facts.document_count = static_cast<std::int64_t>(found->size());
        context.record().facts = std::move(facts);
        auto outcome = outcome_of(*found);
        co_return outcome;
    }

private:
    static engine::NodeOutcome outcome_of(const std::vector<knowledge::FoundSegment>& segments) {
        json::array result;
        for (const auto& segment : segments) {
            result.push_back(to_json(segment, static_cast<std::int64_t>(result.size()) + 1));
        }
        engine::NodeOutcome outcome;
        outcome.outputs.push_back(
            {"result", value::Value::unchecked(std::move(result), ValueType::array_object)}
        );
        return outcome;
    }

    Result<std::string> read_query(engine::NodeContext& context) const {
        if (config_.query.empty()) {
            return std::string();
        }
        const auto variable = context.variables().find(config_.query);
        if (!variable || variable->type() != ValueType::string) {
            return failure(ErrorCode::type_mismatch, "Query variable is not string type.");
        }
        context.record().inputs["query"] = variable->text();
        return std::string(variable->text());
    }

    Result<bool> check_attachments(engine::NodeContext& context) const {
        if (config_.attachments.empty()) {
            return true;
        }
        const auto variable = context.variables().find(config_.attachments);
        const bool is_empty = variable && !variable->is_truthy();
        if (!is_empty && (!variable || (variable->type() != ValueType::file &&
                                        variable->type() != ValueType::array_file))) {
            return failure(
                ErrorCode::type_mismatch, "Attachments variable is not array file or file type."
            );
        }
        context.record().inputs["attachments"] = variable->json();
        if (!is_empty) {
            context.warn(
                "retrieval.attachments",
                fmt::format("node {}: attachments are not searched for", context.node_id())
            );
        }
        return true;
    }

    Task<Result<std::vector<knowledge::Dataset>>> find_datasets(engine::NodeContext& context
    ) const {
        knowledge::ResolvedDatasets resolved;
        if (services_.knowledge == nullptr) {
            resolved.unmapped = config_.dataset_ids;
        } else {
            FLOWSPAN_CO_TRY(resolved, co_await services_.knowledge->resolve(config_.dataset_ids));
        }
        if (!resolved.unmapped.empty()) {
            context.warn(
                "retrieval.unmapped_dataset",
                fmt::format(
                    "node {}: no dataset stands for {}; make one with `flowspan knowledge create` "
                    "and map the id to it under [knowledge] map in flowspan.toml",
                    context.node_id(),
                    fmt::join(resolved.unmapped, ", ")
                )
            );
        }
        co_return std::move(resolved.datasets);
    }

    Task<Result<knowledge::MetadataFilter>> make_filter(
        engine::NodeContext& context,
        const std::string& query,
        const std::vector<std::string>& dataset_ids
    ) const {
        knowledge::MetadataFilter filter;
        if (config_.filtering == Filtering::automatic) {
            const auto* model = config_.metadata_model ? &*config_.metadata_model
                                : config_.has_single   ? &config_.single_model
                                                       : nullptr;
            if (model != nullptr) {
                FLOWSPAN_CO_TRY(
                    const auto fields, co_await services_.knowledge->metadata_fields(dataset_ids)
                );
                co_return co_await choose_filter(context, services_, *model, query, fields);
            }
        }
        filter.is_any = config_.is_any_condition;
        for (const auto& condition : config_.conditions) {
            filter.conditions.push_back(
                {condition.name, condition.comparison, resolve_value(context, condition)}
            );
        }
        co_return filter;
    }

    Task<Result<std::vector<knowledge::FoundSegment>>> retrieve(
        engine::NodeContext& context, const std::string& query
    ) const {
        FLOWSPAN_CO_TRY(auto datasets, co_await find_datasets(context));
        std::vector<knowledge::FoundSegment> none;
        if (datasets.empty()) {
            co_return none;
        }
        knowledge::RetrievalRequest request;
        request.query = query;
        if (config_.mode == Mode::single) {
            const auto chosen =
                co_await choose_dataset(context, services_, config_.single_model, query, datasets);
            request.dataset_ids = {datasets[chosen].id};
        } else {
            for (const auto& dataset : datasets) {
                request.dataset_ids.push_back(dataset.id);
            }
            request.top_k = config_.top_k;
            request.score_threshold = config_.score_threshold;
            request.rerank = config_.rerank;
        }
        FLOWSPAN_CO_TRY(request.filter, co_await make_filter(context, query, request.dataset_ids));
        FLOWSPAN_CO_TRY(auto reply, co_await services_.knowledge->retrieve(std::move(request)));
        for (const auto& warning : reply.warnings) {
            context.warn(
                "retrieval.limited", fmt::format("node {}: {}", context.node_id(), warning)
            );
        }
        co_return std::move(reply.segments);
    }

    RetrievalConfig config_;
    Services services_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    auto config = read_retrieval_config(reader);
    return reader.is_valid() ? std::make_unique<KnowledgeRetrievalNode>(std::move(config), services)
                             : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "knowledge-retrieval",
        .description = "Finds what datasets say about a question.",
        .config =
            {{"query_variable_selector", "selector", "The question; text."},
             {"query_attachment_selector", "selector", "Files that belong to the question."},
             {"dataset_ids", "list of text", "Which datasets; mapped in flowspan.toml.", true},
             {"retrieval_mode", "single or multiple", "One that a model chooses, or all.", true},
             {"multiple_retrieval_config",
              "{top_k, score_threshold, reranking_mode, ...}",
              "How many results, how good at least, and their order."},
             {"single_retrieval_config", "{model}", "The model that chooses."},
             {"metadata_filtering_mode",
              "disabled, automatic or manual",
              "Whether documents are filtered by metadata."},
             {"metadata_filtering_conditions",
              "{logical_operator, conditions}",
              "The filter, if it is manual."},
             {"metadata_model_config", "model", "The model that makes an automatic filter."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::knowledge_retrieval
