#include "infra/sql/database.hpp"
#include "knowledge/knowledge_store.hpp"
#include "knowledge/search_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

namespace flowspan::knowledge {

namespace {

constexpr auto kSchema = R"(
CREATE TABLE IF NOT EXISTS datasets (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    dataset_id TEXT NOT NULL REFERENCES datasets (id),
    name TEXT NOT NULL,
    source_type TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_of_dataset ON documents (dataset_id);
CREATE TABLE IF NOT EXISTS segments (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL REFERENCES documents (id),
    position INTEGER NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS segments_of_document ON segments (document_id);
CREATE VIRTUAL TABLE IF NOT EXISTS segment_index USING fts5 (
    words, tokenize = "unicode61 remove_diacritics 2 tokenchars '_'"
);
)";

// How many segments are ranked for each one that is asked for: the index's own order is not quite
// the order of scores.
constexpr std::int64_t kCandidatesPerResult = 5;
constexpr std::int64_t kCandidatesMin = 50;
constexpr std::int64_t kTopKMax = 1000;

using sql::Field;
using sql::Statement;
using sql::to_text;

std::string json_list(const std::vector<std::string>& texts) {
    return to_json_text(json::array(texts.begin(), texts.end()));
}

json::object parse_object(const std::string& text) {
    auto parsed = parse_json(text);
    return parsed && parsed->is_object() ? std::move(parsed->get_object()) : json::object();
}

// Words are quoted, so that nothing in a question is an operator of the index's query language.
std::string match_expression(const std::vector<std::string>& terms) {
    std::string expression;
    for (const auto& term : terms) {
        expression += fmt::format("{}\"{}\"", expression.empty() ? "" : " OR ", term);
    }
    return expression;
}

Statement select_datasets() {
    return {
        "SELECT d.id, d.name, d.description, "
        "(SELECT count(*) FROM documents WHERE dataset_id = d.id), "
        "(SELECT count(*) FROM segments s JOIN documents o ON o.id = s.document_id "
        "WHERE o.dataset_id = d.id) FROM datasets d ORDER BY d.name",
        "SELECT",
        "datasets",
    };
}

Statement select_segments(
    const std::string& match,
    const std::vector<std::string>& datasets,
    const std::optional<std::vector<std::string>>& documents,
    std::int64_t count
) {
    return {
        "SELECT s.id, s.content, s.position, d.id, d.name, d.metadata, d.source_type, a.id, "
        "a.name, -bm25(segment_index), segment_index.words "
        "FROM segment_index JOIN segments s ON s.number = segment_index.rowid "
        "JOIN documents d ON d.id = s.document_id JOIN datasets a ON a.id = d.dataset_id "
        "WHERE segment_index MATCH ? AND a.id IN (SELECT value FROM json_each(?)) "
        "AND (? = 0 OR d.id IN (SELECT value FROM json_each(?))) "
        "ORDER BY bm25(segment_index) LIMIT ?",
        "SELECT",
        "segments",
        {match,
         json_list(datasets),
         std::int64_t{documents ? 1 : 0},
         documents ? json_list(*documents) : "[]",
         count},
    };
}

FoundSegment read_segment(const sql::Row& row) {
    FoundSegment found;
    found.id = to_text(row[0]);
    found.content = to_text(row[1]);
    found.position = sql::to_integer(row[2]);
    found.document_id = to_text(row[3]);
    found.document_name = to_text(row[4]);
    found.document_metadata = parse_object(to_text(row[5]));
    found.source_type = to_text(row[6]);
    found.dataset_id = to_text(row[7]);
    found.dataset_name = to_text(row[8]);
    return found;
}

// How much of the question a segment holds counts most; its rank among the others tells equals
// apart. Rank alone would give the best of nothing but bad ones a full score.
double score_of(double coverage, double rank, double rank_max) {
    constexpr double kRankShare = 0.3;
    const double relative = rank_max > 0 ? std::clamp(rank / rank_max, 0.0, 1.0) : 1;
    return coverage * (1 - kRankShare + kRankShare * relative);
}

class SqliteStore final : public KnowledgeStore {
public:
    SqliteStore(
        KnowledgeConfig config, const Clock& clock, Random& random, trace::MetricRegistry* metrics
    )
        : config_(std::move(config)),
          clock_(clock),
          random_(random),
          database_(sql::make_sqlite_database(
              {.path = config_.path, .schema = kSchema, .metrics = metrics}
          )) {}

    Task<Result<Dataset>> create_dataset(std::string name, std::string description) override {
        if (name.empty()) {
            co_return failure(ErrorCode::invalid_input, "a dataset needs a name");
        }
        FLOWSPAN_CO_TRY(const auto datasets, co_await load_datasets());
        if (find(datasets, name) != nullptr) {
            co_return failure(
                ErrorCode::invalid_input, fmt::format("there is a dataset `{}` already", name)
            );
        }
        Dataset dataset{make_uuid(random_), std::move(name), std::move(description)};
        FLOWSPAN_CO_TRY(
            [[maybe_unused]] const auto reply,
            co_await database_->run(
                {"INSERT INTO datasets (id, name, description, created_at) VALUES (?, ?, ?, ?)",
                 "INSERT",
                 "datasets",
                 {dataset.id, dataset.name, dataset.description, now()}}
            )
        );
        co_return dataset;
    }

    Task<Result<std::vector<Dataset>>> list_datasets() override { return load_datasets(); }

    Task<Result<AddedDocument>> add_document(NewDocument document) override {
        FLOWSPAN_CO_TRY(const auto datasets, co_await load_datasets());
        const auto* dataset = find(datasets, document.dataset);
        if (dataset == nullptr) {
            co_return failure(
                ErrorCode::not_found, fmt::format("there is no dataset `{}`", document.dataset)
            );
        }
        const auto segments = split_text(document.text, document.split);
        AddedDocument added{make_uuid(random_), static_cast<std::int64_t>(segments.size())};
        std::vector<Statement> batch;
        batch.push_back(
            {"INSERT INTO documents (id, dataset_id, name, source_type, metadata, created_at) "
             "VALUES (?, ?, ?, ?, ?, ?)",
             "INSERT",
             "documents",
             {added.id,
              dataset->id,
              document.name,
              document.source_type,
              to_json_text(document.metadata),
              now()}}
        );
        std::int64_t position = 0;
        for (const auto& segment : segments) {
            batch.push_back(
                {"INSERT INTO segments (id, document_id, position, content) VALUES (?, ?, ?, ?)",
                 "INSERT",
                 "segments",
                 {make_uuid(random_), added.id, ++position, segment}}
            );
            batch.push_back(
                {"INSERT INTO segment_index (rowid, words) VALUES (last_insert_rowid(), ?)",
                 "INSERT",
                 "segment_index",
                 {index_words(segment)}}
            );
        }
        FLOWSPAN_CO_TRY(
            [[maybe_unused]] const auto replies, co_await database_->run_batch(std::move(batch))
        );
        co_return added;
    }

    Task<Result<ResolvedDatasets>> resolve(std::vector<std::string> ids) override {
        FLOWSPAN_CO_TRY(const auto datasets, co_await load_datasets());
        ResolvedDatasets resolved;
        for (const auto& id : ids) {
            const auto* dataset = find_mapped(datasets, id);
            if (dataset == nullptr) {
                resolved.unmapped.push_back(id);
            } else if (find(resolved.datasets, dataset->id) == nullptr) {
                resolved.datasets.push_back(*dataset);
            }
        }
        co_return resolved;
    }

    Task<Result<std::vector<std::string>>> metadata_fields(std::vector<std::string> dataset_ids
    ) override {
        std::vector<std::string> fields;
        if (!has_file()) {
            co_return fields;
        }
        FLOWSPAN_CO_TRY(
            const auto reply,
            co_await database_->run(
                {"SELECT DISTINCT m.key FROM documents d, json_each(d.metadata) m "
                 "WHERE d.dataset_id IN (SELECT value FROM json_each(?)) ORDER BY m.key LIMIT 200",
                 "SELECT",
                 "documents",
                 {json_list(dataset_ids)}}
            )
        );
        for (const auto& row : reply.rows) {
            fields.push_back(to_text(row[0]));
        }
        co_return fields;
    }

    Task<Result<RetrievalReply>> retrieve(RetrievalRequest request) override {
        RetrievalReply reply;
        if (request.method != SearchMethod::full_text) {
            reply.warnings.emplace_back("this store searches by full text only");
        }
        if (request.rerank.mode == RerankMode::model) {
            reply.warnings.emplace_back("this store has no rerank model; results are by score");
        }
        const auto terms = query_terms(request.query);
        if (terms.empty() || request.dataset_ids.empty() || !has_file()) {
            co_return reply;
        }
        std::optional<std::vector<std::string>> documents;
        if (!request.filter.conditions.empty()) {
            FLOWSPAN_CO_TRY(
                documents, co_await filter_documents(request.dataset_ids, request.filter)
            );
        }
        const auto top_k = std::clamp<std::int64_t>(request.top_k, 0, kTopKMax);
        FLOWSPAN_CO_TRY(
            const auto found,
            co_await database_->run(select_segments(
                match_expression(terms),
                request.dataset_ids,
                documents,
                std::max(kCandidatesMin, top_k * kCandidatesPerResult)
            ))
        );
        // Rows come best first.
        const double rank_max = found.rows.empty() ? 0 : sql::to_number(found.rows.front()[9]);
        for (const auto& row : found.rows) {
            auto segment = read_segment(row);
            segment.score =
                score_of(coverage(terms, to_text(row[10])), sql::to_number(row[9]), rank_max);
            if (segment.score >= request.score_threshold) {
                reply.segments.push_back(std::move(segment));
            }
        }
        std::ranges::sort(reply.segments, [](const FoundSegment& a, const FoundSegment& b) {
            return std::tuple(-a.score, a.document_id, a.position) <
                   std::tuple(-b.score, b.document_id, b.position);
        });
        if (std::cmp_greater(reply.segments.size(), top_k)) {
            reply.segments.resize(static_cast<std::size_t>(top_k));
        }
        co_return reply;
    }

private:
    static const Dataset* find(const std::vector<Dataset>& datasets, std::string_view wanted) {
        const auto found = std::ranges::find_if(datasets, [wanted](const Dataset& one) {
            return one.id == wanted || one.name == wanted;
        });
        return found == datasets.end() ? nullptr : &*found;
    }

    [[nodiscard]] const Dataset* find_mapped(
        const std::vector<Dataset>& datasets, std::string_view id
    ) const {
        const auto mapped = [&](std::string_view key) -> const Dataset* {
            const auto entry = std::ranges::find(config_.map, key, &DatasetMapping::id);
            return entry == config_.map.end() ? nullptr : find(datasets, entry->dataset);
        };
        if (const auto* dataset = mapped(id)) {
            return dataset;
        }
        const auto* dataset = find(datasets, id);
        return dataset == nullptr ? mapped("*") : dataset;
    }

    [[nodiscard]] bool has_file() const {
        std::error_code code;
        return config_.path == ":memory:" || std::filesystem::exists(config_.path, code);
    }

    [[nodiscard]] std::string now() const { return to_iso8601(clock_.system_now()); }

    Task<Result<std::vector<Dataset>>> load_datasets() {
        std::vector<Dataset> datasets;
        if (!has_file()) {
            co_return datasets;
        }
        FLOWSPAN_CO_TRY(const auto reply, co_await database_->run(select_datasets()));
        for (const auto& row : reply.rows) {
            datasets.push_back(
                {to_text(row[0]),
                 to_text(row[1]),
                 to_text(row[2]),
                 sql::to_integer(row[3]),
                 sql::to_integer(row[4])}
            );
        }
        co_return datasets;
    }

    Task<Result<std::vector<std::string>>> filter_documents(
        const std::vector<std::string>& dataset_ids, const MetadataFilter& filter
    ) {
        FLOWSPAN_CO_TRY(
            const auto reply,
            co_await database_->run(
                {"SELECT id, name, source_type, metadata FROM documents "
                 "WHERE dataset_id IN (SELECT value FROM json_each(?))",
                 "SELECT",
                 "documents",
                 {json_list(dataset_ids)}}
            )
        );
        std::vector<std::string> ids;
        for (const auto& row : reply.rows) {
            auto metadata = parse_object(to_text(row[3]));
            metadata.emplace("document_name", to_text(row[1]));
            metadata.emplace("source", to_text(row[2]));
            if (matches(filter, metadata)) {
                ids.push_back(to_text(row[0]));
            }
        }
        co_return ids;
    }

    KnowledgeConfig config_;
    const Clock& clock_;
    Random& random_;
    std::unique_ptr<sql::Database> database_;
};

}  // namespace

std::unique_ptr<KnowledgeStore> make_sqlite_store(
    KnowledgeConfig config, const Clock& clock, Random& random, trace::MetricRegistry* metrics
) {
    return std::make_unique<SqliteStore>(std::move(config), clock, random, metrics);
}

}  // namespace flowspan::knowledge
