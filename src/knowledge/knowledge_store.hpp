#pragma once
// Datasets and what is found in them, whatever keeps them.

#include "flowspan/async/task.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/trace/metrics.hpp"
#include "knowledge/metadata_filter.hpp"
#include "knowledge/splitter.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::knowledge {

struct Dataset {
    std::string id;
    std::string name;  ///< unique
    std::string description;
    std::int64_t document_count = 0;
    std::int64_t segment_count = 0;
};

struct NewDocument {
    std::string dataset;  ///< id or name
    std::string name;
    std::string text;  ///< valid UTF-8
    json::object metadata = {};
    std::string source_type = "upload_file";
    SplitOptions split = {};
};

struct AddedDocument {
    std::string id;
    std::int64_t segment_count = 0;
};

/// Which datasets the ids of an app file mean here.
struct ResolvedDatasets {
    std::vector<Dataset> datasets;      ///< in the order of the ids, each once
    std::vector<std::string> unmapped;  ///< ids that mean none
};

enum class SearchMethod : std::uint8_t { full_text, vector, hybrid };

/// How what several datasets gave is put in order.
enum class RerankMode : std::uint8_t { none, by_score, model, weighted };

struct Rerank {
    RerankMode mode = RerankMode::by_score;
    std::string provider = {};
    std::string model = {};
    double vector_weight = 0;
    double keyword_weight = 1;
    std::string embedding_provider = {};  ///< of the vectors that are weighed
    std::string embedding_model = {};
};

struct RetrievalRequest {
    std::vector<std::string> dataset_ids = {};  ///< of this store, as resolve() gave them
    std::string query = {};
    SearchMethod method = SearchMethod::full_text;
    std::int64_t top_k = 4;
    double score_threshold = 0;  ///< what scores less is left out
    Rerank rerank = {};
    MetadataFilter filter = {};
};

struct FoundSegment {
    std::string id;
    std::string content;
    std::int64_t position = 1;  ///< in its document, from 1
    double score = 0;           ///< 0 to 1
    std::string document_id;
    std::string document_name;
    json::object document_metadata;
    std::string source_type;
    std::string dataset_id;
    std::string dataset_name;
};

struct RetrievalReply {
    std::vector<FoundSegment> segments;  ///< best first
    /// What was asked for and is not done here, in words for the user.
    std::vector<std::string> warnings;
};

/// Safe to call from any task on any loop. Errors: `not_found` (no such dataset), `invalid_input`,
/// `unavailable`, `limit_exceeded`.
class KnowledgeStore {
public:
    virtual ~KnowledgeStore() = default;

    /// Error `invalid_input` if the name is empty or taken.
    [[nodiscard]] virtual Task<Result<Dataset>> create_dataset(
        std::string name, std::string description
    ) = 0;

    /// By name.
    [[nodiscard]] virtual Task<Result<std::vector<Dataset>>> list_datasets() = 0;

    [[nodiscard]] virtual Task<Result<AddedDocument>> add_document(NewDocument document) = 0;

    /// An id is looked up in the mapping, then among ids and names of datasets, then stands for
    /// what the mapping says of `*`.
    [[nodiscard]] virtual Task<Result<ResolvedDatasets>> resolve(std::vector<std::string> ids) = 0;

    /// Names of metadata fields that documents of the datasets have, sorted.
    [[nodiscard]] virtual Task<Result<std::vector<std::string>>> metadata_fields(
        std::vector<std::string> dataset_ids
    ) = 0;

    [[nodiscard]] virtual Task<Result<RetrievalReply>> retrieve(RetrievalRequest request) = 0;
};

/// One line of the mapping from ids in app files to datasets here.
struct DatasetMapping {
    std::string id;       ///< as in the app file; `*` is any other
    std::string dataset;  ///< id or name

    bool operator==(const DatasetMapping&) const = default;
};

BOOST_DESCRIBE_STRUCT(DatasetMapping, (), (id, dataset))

struct KnowledgeConfig {
    std::string path = "knowledge.db";  ///< of the store's file
    std::vector<DatasetMapping> map;

    bool operator==(const KnowledgeConfig&) const = default;
};

BOOST_DESCRIBE_STRUCT(KnowledgeConfig, (), (path, map))

/// `clock`, `random` and `metrics` must outlive the store; null metrics measure nothing.
[[nodiscard]] std::unique_ptr<KnowledgeStore> make_sqlite_store(
    KnowledgeConfig config,
    const Clock& clock,
    Random& random,
    trace::MetricRegistry* metrics = nullptr
);

}  // namespace flowspan::knowledge
