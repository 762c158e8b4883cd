#include "flowspan/async/runtime.hpp"
#include "model/embedding_model.hpp"
#include "model/rerank_model.hpp"
#include "model_server/model_server.hpp"
#include "model_server/raw_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <optional>

namespace flowspan::model {
namespace {

using model_server::ModelServer;
using model_server::RawConnection;
using model_server::RawServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JsonServices : public ::testing::Test {
protected:
    JsonServices() { EXPECT_TRUE(server_.start()); }

    static ModelsConfig config_for(const std::string& base_url) {
        ServiceMapping mapping;
        mapping.provider = "jina";
        mapping.name = "ranker-*";
        mapping.base_url = base_url;
        mapping.api_key = Secret("sk-secret");
        mapping.provider_name = "jina";
        mapping.remote_name = "remote-ranker";
        mapping.retries_max = 1;
        ModelsConfig config;
        config.rerank.push_back(mapping);
        config.embedding.push_back(mapping);
        return config;
    }

    Result<RerankReply> rerank(const std::string& base_url, const RerankRequest& request) {
        const auto model =
            make_rerank_model(config_for(base_url), *client_, real_clock(), *random_);
        return runtime_.block_on([&] { return model->rerank(request); });
    }

    Result<EmbeddingReply> embed(const std::string& base_url, const EmbeddingRequest& request) {
        const auto model =
            make_embedding_model(config_for(base_url), *client_, real_clock(), *random_);
        return runtime_.block_on([&] { return model->embed(request); });
    }

    /// What one exact body makes of a rerank call over two documents.
    Result<RerankReply> rerank_answered(std::string_view body) {
        const RawServer raw([body](RawConnection& connection) {
            static_cast<void>(connection.read_request());
            connection.write(fmt::format(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                body.size(),
                body
            ));
        });
        return rerank(raw.url(), {kRanker, "q", {"a", "b"}, 2});
    }

    static inline const ModelRef kRanker{.provider = "langgenius/jina/jina", .name = "ranker-2"};
    ModelServer server_{model_server::ModelServerConfig{.should_record = true}};
    std::unique_ptr<http::HttpClient> client_ = http::make_http_client({.proxy = ""});
    std::unique_ptr<Random> random_ = make_seeded_random(1);
    async::Runtime runtime_;
};

TEST_F(JsonServices, RankDocumentsBestFirst) {
    const auto reply = rerank(
        server_.url() + "/v1/",
        {kRanker, "when are refunds paid", {"We are open.", "Refunds are paid soon.", "Nothing"}, 2}
    );
    ASSERT_TRUE(reply) << reply.error().full_text();
    ASSERT_EQ(reply->results.size(), 2U);
    EXPECT_EQ(reply->results[0].index, 1U);
    EXPECT_DOUBLE_EQ(reply->results[0].score, 0.75);
    EXPECT_EQ(reply->results[1].index, 0U);
    EXPECT_GT(reply->input_tokens, 0);
    EXPECT_EQ(reply->response_model, "remote-ranker");
    const auto requests = server_.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].target, "/v1/rerank");
    EXPECT_EQ(requests[0].header("authorization"), "Bearer sk-secret");
    EXPECT_EQ(
        requests[0].body,
        R"({"query":"when are refunds paid","documents":["We are open.","Refunds are paid soon.",)"
        R"("Nothing"],"top_n":2,"model":"remote-ranker"})"
    );
}

TEST_F(JsonServices, MakeAVectorOfEachText) {
    const auto reply = embed(server_.url() + "/v1", {kRanker, {"rain", "rain rain", "sun"}});
    ASSERT_TRUE(reply) << reply.error().full_text();
    ASSERT_EQ(reply->vectors.size(), 3U);
    EXPECT_EQ(reply->vectors[0].size(), 8U);
    EXPECT_NE(reply->vectors[0], reply->vectors[1]);
    EXPECT_EQ(reply->input_tokens, 4);
    EXPECT_EQ(server_.requests().at(0).target, "/v1/embeddings");
}

TEST_F(JsonServices, KnowWhichModelsTheyServe) {
    const auto model =
        make_rerank_model(config_for("http://h:81/v1"), *client_, real_clock(), *random_);
    EXPECT_TRUE(model->has_endpoint(kRanker));
    EXPECT_FALSE(model->has_endpoint({.provider = "jina", .name = "other"}));
    EXPECT_EQ(model->endpoint(kRanker).provider_name, "jina");
    EXPECT_EQ(model->endpoint(kRanker).server_address, "h");
    EXPECT_EQ(model->endpoint(kRanker).server_port, 81);
    const RerankRequest request{{.provider = "cohere", .name = "x"}, "q", {"a"}, 1};
    const auto reply = runtime_.block_on([&] { return model->rerank(request); });
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::not_found);
}

TEST_F(JsonServices, TryAgainAndThenFailWithTheStatus) {
    const auto reply = rerank(server_.url() + "/status/503?", {kRanker, "q", {"a"}, 1});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::remote_failure);
    EXPECT_EQ(reply.error().type, "InvokeServerUnavailableError");
    EXPECT_THAT(reply.error().message, HasSubstr("answered 503"));
    EXPECT_EQ(server_.requests().size(), 2U) << "one retry is configured";

    const auto refused = rerank(server_.url() + "/status/401?", {kRanker, "q", {"a"}, 1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unauthorized);
    EXPECT_EQ(server_.requests().size(), 3U) << "what is refused for good is not repeated";
}

TEST_F(JsonServices, TakeOtherWordsForScores) {
    const auto reply =
        rerank_answered(R"({"results":[{"index":0,"score":0.25},{"index":1,"score":1}]})");
    ASSERT_TRUE(reply) << reply.error().full_text();
    EXPECT_EQ(reply->results[0].index, 1U);
    EXPECT_DOUBLE_EQ(reply->results[1].score, 0.25);
}

TEST_F(JsonServices, RefuseAnswersThatMakeNoSense) {
    for (const std::string_view body : {
             "nonsense",
             "[]",
             "{}",
             R"({"results":{}})",
             R"({"results":[{"index":2,"score":1}]})",
             R"({"results":[{"index":-1,"score":1}]})",
             R"({"results":[{"index":0,"score":"high"}]})",
             R"({"results":[{"index":0}]})",
             R"({"results":[{"index":0,"score":1},{"index":0,"score":1}]})",
         }) {
        const auto reply = rerank_answered(body);
        ASSERT_FALSE(reply) << body;
        EXPECT_EQ(reply.error().code, ErrorCode::remote_failure) << body;
    }
}

}  // namespace
}  // namespace flowspan::model
