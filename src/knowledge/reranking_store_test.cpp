#include "knowledge/reranking_store.hpp"

#include "flowspan/async/runtime.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

namespace flowspan::knowledge {
namespace {

/// Likes short documents.
class ShortFirst final : public model::RerankModel {
public:
    Task<Result<model::RerankReply>> rerank(const model::RerankRequest& request) override {
        seen = request;
        if (error) {
            co_return failure(*error);
        }
        model::RerankReply reply;
        for (std::size_t i = 0; i < request.documents.size(); ++i) {
            const auto size = static_cast<double>(request.documents[i].size());
            reply.results.push_back({i, 1 / (1 + size / 100)});
        }
        co_return reply;
    }

    bool has_endpoint(const model::ModelRef& model) const override { return model.name == "known"; }

    model::EndpointFacts endpoint(const model::ModelRef&) const override { return {}; }

    std::optional<Error> error;
    model::RerankRequest seen;
};

/// Two directions: texts that speak of nights, and all others.
class NightOrNot final : public model::EmbeddingModel {
public:
    Task<Result<model::EmbeddingReply>> embed(const model::EmbeddingRequest& request) override {
        model::EmbeddingReply reply;
        for (const auto& text : request.texts) {
            const bool is_night = text.find("night") != std::string::npos;
            reply.vectors.push_back({is_night ? 0.0F : 1.0F, is_night ? 1.0F : 0.0F});
        }
        ++calls;
        co_return reply;
    }

    bool has_endpoint(const model::ModelRef& model) const override { return model.name == "known"; }

    model::EndpointFacts endpoint(const model::ModelRef&) const override { return {}; }

    int calls = 0;
};

class RerankingStoreTest : public ::testing::Test {
protected:
    RerankingStoreTest() {
        runtime_.block_on([&]() -> Task<void> { return fill(store_.get()); });
        request_.query = "Who can sleep at night?";
        request_.top_k = 2;
        request_.rerank = {.mode = RerankMode::model, .provider = "x", .model = "known"};
    }

    static Task<void> fill(KnowledgeStore* store) {
        EXPECT_TRUE(co_await store->create_dataset("animals", ""));
        for (const auto* text :
             {"Dogs can sleep at night, like most of us do.", "Cats sleep.", "Owls never sleep."}) {
            EXPECT_TRUE(co_await store->add_document({"animals", text, text}));
        }
    }

    static Task<Result<RetrievalReply>> ask(KnowledgeStore* store, RetrievalRequest* request) {
        const auto datasets = co_await store->resolve({"animals"});
        request->dataset_ids = {datasets->datasets.at(0).id};
        co_return co_await store->retrieve(*request);
    }

    Result<RetrievalReply> retrieve() {
        const auto ranked = make_reranking_store(*store_, rerank_, embedding_);
        return runtime_.block_on(ask, ranked.get(), &request_);
    }

    static std::vector<std::string> names(const RetrievalReply& reply) {
        std::vector<std::string> names;
        std::ranges::transform(
            reply.segments,
            std::back_inserter(names),
            [](const FoundSegment& segment) { return segment.document_name.substr(0, 4); }
        );
        return names;
    }

    std::unique_ptr<Random> random_ = make_seeded_random(1);
    std::unique_ptr<KnowledgeStore> store_ =
        make_sqlite_store({":memory:", {}}, real_clock(), *random_);
    ShortFirst rerank_;
    NightOrNot embedding_;
    async::Runtime runtime_;
    RetrievalRequest request_;
};

TEST_F(RerankingStoreTest, LetsTheModelOrderMoreThanWasAskedFor) {
    const auto reply = retrieve();
    ASSERT_TRUE(reply) << reply.error().full_text();
    EXPECT_EQ(names(*reply), (std::vector<std::string>{"Cats", "Owls"}));
    EXPECT_TRUE(reply->warnings.empty());
    EXPECT_EQ(rerank_.seen.documents.size(), 3U);
    EXPECT_EQ(rerank_.seen.query, request_.query);
    EXPECT_EQ(rerank_.seen.top_n, 2);
    EXPECT_GT(reply->segments[0].score, reply->segments[1].score);
}

TEST_F(RerankingStoreTest, HoldsTheThresholdAgainstTheModelsScores) {
    request_.score_threshold = 0.88;
    const auto reply = retrieve();
    ASSERT_TRUE(reply);
    EXPECT_EQ(names(*reply), (std::vector<std::string>{"Cats"}));
}

TEST_F(RerankingStoreTest, AsksNoModelAboutNothing) {
    request_.query = "quantum";
    const auto reply = retrieve();
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->segments.empty());
    EXPECT_TRUE(rerank_.seen.query.empty());
}

TEST_F(RerankingStoreTest, FailsWithItsModel) {
    rerank_.error = Error(ErrorCode::rate_limited, "too many requests");
    const auto reply = retrieve();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::rate_limited);
}

TEST_F(RerankingStoreTest, WithoutAnEndpointResultsAreByScoreAndSaySo) {
    request_.rerank.model = "other";
    const auto reply = retrieve();
    ASSERT_TRUE(reply);
    EXPECT_EQ(names(*reply).at(0), "Dogs");
    EXPECT_EQ(reply->warnings.size(), 1U);
    EXPECT_TRUE(rerank_.seen.query.empty());
}

TEST_F(RerankingStoreTest, WeighsVectorsAgainstWords) {
    request_.rerank = {.mode = RerankMode::weighted};
    request_.rerank.vector_weight = 1;
    request_.rerank.keyword_weight = 0;
    request_.rerank.embedding_model = "known";
    const auto reply = retrieve();
    ASSERT_TRUE(reply) << reply.error().full_text();
    ASSERT_EQ(reply->segments.size(), 2U);
    EXPECT_DOUBLE_EQ(reply->segments[0].score, 1);
    EXPECT_EQ(names(*reply).at(0), "Dogs");
    EXPECT_DOUBLE_EQ(reply->segments[1].score, 0);
    EXPECT_EQ(embedding_.calls, 1);

    request_.rerank.embedding_model = "other";
    ASSERT_TRUE(retrieve());
    EXPECT_EQ(embedding_.calls, 1) << "no endpoint is configured for that one";
}

}  // namespace
}  // namespace flowspan::knowledge
