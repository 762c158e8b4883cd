#include "knowledge/reranking_store.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

namespace flowspan::knowledge {

namespace {

// A model can only bring up what it gets to see.
constexpr std::int64_t kCandidatesMin = 20;
constexpr std::int64_t kCandidatesMax = 100;

/// The store's own ranking, wide enough for a model to choose from.
RetrievalRequest ask_for_candidates(const RetrievalRequest& request) {
    auto wide = request;
    wide.rerank.mode = RerankMode::by_score;
    wide.score_threshold = 0;
    const auto datasets = std::max<std::int64_t>(std::ssize(request.dataset_ids), 1);
    wide.top_k = std::clamp(
        std::clamp<std::int64_t>(request.top_k, 0, kCandidatesMax) * datasets,
        kCandidatesMin,
        kCandidatesMax
    );
    return wide;
}

void keep_best(std::vector<FoundSegment>& segments, const RetrievalRequest& request) {
    std::erase_if(segments, [&request](const FoundSegment& segment) {
        return segment.score < request.score_threshold;
    });
    std::ranges::sort(segments, [](const FoundSegment& a, const FoundSegment& b) {
        return std::tuple(-a.score, a.document_id, a.position) <
               std::tuple(-b.score, b.document_id, b.position);
    });
    const auto count_max = static_cast<std::size_t>(std::max<std::int64_t>(request.top_k, 0));
    if (segments.size() > count_max) {
        segments.resize(count_max);
    }
}

/// The cosine of the angle, 0 for what points away.
double likeness(const std::vector<float>& a, const std::vector<float>& b) {
    const auto dot = [](const std::vector<float>& x, const std::vector<float>& y) {
        return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
    };
    const double sizes = std::sqrt(dot(a, a) * dot(b, b));
    return sizes > 0 ? std::clamp(dot(a, b) / sizes, 0.0, 1.0) : 0;
}

class RerankingStore final : public KnowledgeStore {
public:
    RerankingStore(
        KnowledgeStore& inner, model::RerankModel& rerank, model::EmbeddingModel& embedding
    )
        : inner_(inner), rerank_(rerank), embedding_(embedding) {}

    Task<Result<Dataset>> create_dataset(std::string name, std::string description) override {
        return inner_.create_dataset(std::move(name), std::move(description));
    }

    Task<Result<std::vector<Dataset>>> list_datasets() override { return inner_.list_datasets(); }

    Task<Result<AddedDocument>> add_document(NewDocument document) override {
        return inner_.add_document(std::move(document));
    }

    Task<Result<ResolvedDatasets>> resolve(std::vector<std::string> ids) override {
        return inner_.resolve(std::move(ids));
    }

    Task<Result<std::vector<std::string>>> metadata_fields(std::vector<std::string> dataset_ids
    ) override {
        return inner_.metadata_fields(std::move(dataset_ids));
    }

    Task<Result<RetrievalReply>> retrieve(RetrievalRequest request) override {
        const auto& rerank = request.rerank;
        if (rerank.mode == RerankMode::model &&
            rerank_.has_endpoint({rerank.provider, rerank.model})) {
            return retrieve_reranked(std::move(request));
        }
        if (rerank.mode == RerankMode::weighted && rerank.vector_weight > 0 &&
            embedding_.has_endpoint({rerank.embedding_provider, rerank.embedding_model})) {
            return retrieve_weighted(std::move(request));
        }
        return inner_.retrieve(std::move(request));
    }

private:
    Task<Result<RetrievalReply>> retrieve_reranked(RetrievalRequest request) {
        FLOWSPAN_CO_TRY(auto reply, co_await inner_.retrieve(ask_for_candidates(request)));
        if (reply.segments.empty()) {
            co_return reply;
        }
        model::RerankRequest question;
        question.model = {request.rerank.provider, request.rerank.model};
        question.query = request.query;
        question.top_n = request.top_k;
        for (const auto& segment : reply.segments) {
            question.documents.push_back(segment.content);
        }
        FLOWSPAN_CO_TRY(const auto ranked, co_await rerank_.rerank(question));
        std::vector<FoundSegment> chosen;
        for (const auto& result : ranked.results) {
            chosen.push_back(std::move(reply.segments[result.index]));
            chosen.back().score = result.score;
        }
        keep_best(chosen, request);
        reply.segments = std::move(chosen);
        co_return reply;
    }

    // The question and the candidates in one call: vectors of documents are not kept.
    Task<Result<RetrievalReply>> retrieve_weighted(RetrievalRequest request) {
        FLOWSPAN_CO_TRY(auto reply, co_await inner_.retrieve(ask_for_candidates(request)));
        if (reply.segments.empty()) {
            co_return reply;
        }
        const auto& rerank = request.rerank;
        model::EmbeddingRequest texts;
        texts.model = {rerank.embedding_provider, rerank.embedding_model};
        texts.texts.push_back(request.query);
        for (const auto& segment : reply.segments) {
            texts.texts.push_back(segment.content);
        }
        FLOWSPAN_CO_TRY(const auto embedded, co_await embedding_.embed(texts));
        for (std::size_t i = 0; i < reply.segments.size(); ++i) {
            auto& score = reply.segments[i].score;
            score =
                rerank.keyword_weight * score +
                rerank.vector_weight * likeness(embedded.vectors.front(), embedded.vectors[i + 1]);
        }
        keep_best(reply.segments, request);
        co_return reply;
    }

    KnowledgeStore& inner_;
    model::RerankModel& rerank_;
    model::EmbeddingModel& embedding_;
};

}  // namespace

std::unique_ptr<KnowledgeStore> make_reranking_store(
    KnowledgeStore& inner, model::RerankModel& rerank, model::EmbeddingModel& embedding
) {
    return std::make_unique<RerankingStore>(inner, rerank, embedding);
}

}  // namespace flowspan::knowledge
