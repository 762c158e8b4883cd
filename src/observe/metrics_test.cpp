// What runs, nodes and calls add to the metrics, traced or not.

#include "engine/testing/scripted_nodes.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"
#include "observe/measured.hpp"
#include "observe/measured_search_models.hpp"
#include "observe/metrics_layer.hpp"
#include "observe/run_log_layer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace flowspan::observe {
namespace {

namespace names = trace::names;

/// `name{label=value,...}` of every series, with the count of histograms or the value of the rest.
std::map<std::string, double> flatten(const trace::MetricRegistry& registry) {
    std::map<std::string, double> series;
    for (const auto& snapshot : registry.snapshot()) {
        for (const auto& point : snapshot.points) {
            std::string key(snapshot.info.name);
            for (const auto& [label, value] : point.labels) {
                const auto* text = std::get_if<std::string>(&value);
                key += " " + label + "=" + (text == nullptr ? "?" : *text);
            }
            series[key] = snapshot.info.kind == trace::MetricKind::histogram
                              ? static_cast<double>(point.count)
                              : point.value;
        }
    }
    return series;
}

class MetricsLayerTest : public ::testing::Test {
protected:
    std::map<std::string, double> run(std::string_view nodes, std::string_view edges) {
        MetricsLayer layer(instruments_, real_clock());
        async::Runtime runtime;
        runtime.block_on([&]() -> Task<void> {
            engine::RunRequest request;
            request.graph = engine::testing::make_graph(nodes, edges);
            auto info = std::make_shared<engine::RunInfo>();
            info->app_name = "demo";
            info->app_mode = "workflow";
            info->invoke_from = "test";
            request.info = std::move(info);
            engine::GraphEngine engine(std::move(request), real_clock(), real_random());
            engine.add_layer(layer);
            engine::testing::EventLog log;
            static_cast<void>(co_await engine.run(log));
        });
        return flatten(registry_);
    }

    trace::MetricRegistry registry_;
    Instruments instruments_{registry_};
};

TEST_F(MetricsLayerTest, CountsRunsAndNodesWithoutAnyTracing) {
    auto series = run("start:s\nwork:a\nfail:f {\"error_strategy\":\"fail-branch\"}", "s>a s>f");
    EXPECT_EQ(
        series["flowspan.workflow.runs dify.app.mode=workflow "
               "dify.invoke_from=test dify.workflow.status=partial-succeeded"],
        1
    );
    EXPECT_EQ(series["flowspan.workflow.active dify.app.mode=workflow"], 0);
    EXPECT_EQ(
        series["gen_ai.invoke_workflow.duration dify.workflow.status=partial-succeeded "
               "gen_ai.workflow.name=demo"],
        1
    );
    EXPECT_EQ(series["flowspan.node.duration dify.node.status=succeeded node.type=work"], 1);
    EXPECT_EQ(
        series["flowspan.node.duration dify.node.status=exception error.type=TestError "
               "node.type=fail"],
        1
    );
    EXPECT_EQ(series["flowspan.node.ready_delay node.type=work"], 1);
}

TEST_F(MetricsLayerTest, CountsEveryRetryAndTheNodeOnce) {
    auto series =
        run("start:s\nflaky:f {\"retry_config\":{\"retry_enabled\":true,\"max_retries\":3,"
            "\"retry_interval\":1}}",
            "s>f");
    EXPECT_EQ(series["flowspan.node.retries error.type=TestError node.type=flaky"], 2);
    EXPECT_EQ(series["flowspan.node.duration dify.node.status=succeeded node.type=flaky"], 1);
    for (const auto& snapshot : registry_.snapshot()) {
        if (snapshot.info.name == names::kMetricNodeDuration) {
            const auto slowest = std::ranges::max(snapshot.points, {}, &trace::MetricPoint::max);
            EXPECT_GE(slowest.max, 0.002) << "the attempts and the waits between them";
        }
    }
}

TEST_F(MetricsLayerTest, MeasuresTheFirstTextOfARun) {
    auto series =
        run("start:s\nsay:t {\"pieces\":\"a|b\"}\nanswer:x {\"answer\":\"{{#t.text#}}\"}",
            "s>t t>x");
    EXPECT_EQ(series["flowspan.workflow.time_to_first_chunk dify.app.mode=workflow"], 1);
}

/// Streams three pieces; fails for the model `bad`.
class ThreePieces final : public model::ChatModel {
public:
    Task<Result<model::ChatReply>> chat(
        const model::ChatRequest& request, model::ChatListener& listener
    ) override {
        if (request.model.name == "bad") {
            co_return failure(Error(ErrorCode::rate_limited, "slow down").with_type("RateLimit"));
        }
        for (const auto* piece : {"a", "b", "c"}) {
            co_await async::yield_now();
            listener.on_text(piece);
        }
        model::ChatReply reply;
        reply.usage = {.prompt_tokens = 20, .completion_tokens = 3, .time_to_first_token = 0.5};
        reply.response_model = "m-1";
        co_return reply;
    }

    model::ModelFeatures features(const model::ModelRef&) const override { return {}; }

    model::EndpointFacts endpoint(const model::ModelRef&) const override {
        return {"openai", "", 0};
    }
};

class TextKeeper final : public model::ChatListener {
public:
    void on_text(std::string_view piece) override { text += piece; }

    std::string text;
};

TEST(Measured, ModelCallsHaveTheMetricsOfTheConventions) {
    trace::MetricRegistry registry;
    Instruments instruments(registry);
    ThreePieces inner;
    const auto subject = measure_chat_model(inner, instruments);
    TextKeeper keeper;
    async::Runtime runtime;
    runtime.block_on([&]() -> Task<void> {
        const model::ChatRequest good{.model = {"openai", "m"}};
        EXPECT_TRUE(co_await subject->chat(good, keeper));
        const model::ChatRequest bad{.model = {"openai", "bad"}};
        EXPECT_FALSE(co_await subject->chat(bad, keeper));
    });
    EXPECT_EQ(keeper.text, "abc");
    auto series = flatten(registry);
    const std::string call = " gen_ai.operation.name=chat gen_ai.provider.name=openai";
    EXPECT_EQ(series["gen_ai.client.operation.duration" + call + " gen_ai.request.model=m"], 1);
    EXPECT_EQ(
        series
            ["gen_ai.client.operation.duration error.type=RateLimit" + call +
             " gen_ai.request.model=bad"],
        1
    );
    EXPECT_EQ(
        series["gen_ai.client.operation.time_per_output_chunk" + call + " gen_ai.request.model=m"],
        2
    ) << "a point for each gap";
    const auto reply = call + " gen_ai.request.model=m gen_ai.response.model=m-1";
    EXPECT_EQ(series["gen_ai.client.operation.time_to_first_chunk" + reply], 1);
    EXPECT_EQ(series["gen_ai.client.token.usage" + reply + " gen_ai.token.type=input"], 1);
    EXPECT_EQ(series["gen_ai.client.token.usage" + reply + " gen_ai.token.type=output"], 1);
}

class OneRanker final : public model::RerankModel, public model::EmbeddingModel {
public:
    Task<Result<model::RerankReply>> rerank(const model::RerankRequest& request) override {
        if (request.query.empty()) {
            co_return failure(Error(ErrorCode::rate_limited, "slow down").with_type("RateLimit"));
        }
        model::RerankReply reply;
        reply.input_tokens = 9;
        co_return reply;
    }

    Task<Result<model::EmbeddingReply>> embed(const model::EmbeddingRequest& /*request*/) override {
        model::EmbeddingReply reply;
        reply.input_tokens = 7;
        co_return reply;
    }

    bool has_endpoint(const model::ModelRef& /*model*/) const override { return true; }

    model::EndpointFacts endpoint(const model::ModelRef& /*model*/) const override {
        return {"a-provider-with-a-long-name", "", 0};
    }
};

TEST(Measured, SearchModelsHaveTheMetricsOfTheConventions) {
    trace::MetricRegistry registry;
    Instruments instruments(registry);
    OneRanker inner;
    const auto rerank = measure_rerank_model(inner, instruments);
    const auto embedding = measure_embedding_model(inner, instruments);
    async::Runtime runtime;
    runtime.block_on([&]() -> Task<void> {
        const model::RerankRequest good{{"jina", "m"}, "why?", {"a"}, 1};
        EXPECT_TRUE(co_await rerank->rerank(good));
        const model::RerankRequest bad{{"jina", "m"}, "", {"a"}, 1};
        EXPECT_FALSE(co_await rerank->rerank(bad));
        const model::EmbeddingRequest texts{{"jina", "m"}, {"a"}};
        EXPECT_TRUE(co_await embedding->embed(texts));
    });
    auto series = flatten(registry);
    const std::string rest =
        " gen_ai.provider.name=a-provider-with-a-long-name gen_ai.request.model=m";
    const std::string ranked = " gen_ai.operation.name=rerank" + rest;
    EXPECT_EQ(series["gen_ai.client.operation.duration" + ranked], 1);
    EXPECT_EQ(series["gen_ai.client.operation.duration error.type=RateLimit" + ranked], 1);
    EXPECT_EQ(series["gen_ai.client.token.usage" + ranked + " gen_ai.token.type=input"], 1);
    const std::string embedded = " gen_ai.operation.name=embeddings" + rest;
    EXPECT_EQ(series["gen_ai.client.operation.duration" + embedded], 1);
    EXPECT_EQ(series["gen_ai.client.token.usage" + embedded + " gen_ai.token.type=input"], 1);
}

class LogNames final : public trace::LogReceiver {
public:
    LogNames() { trace::set_log_receiver(this); }

    ~LogNames() override { trace::set_log_receiver(nullptr); }

    LogNames(const LogNames&) = delete;
    LogNames& operator=(const LogNames&) = delete;

    void on_log(const trace::LogEvent& event) noexcept override { names.emplace_back(event.name); }

    std::vector<std::string> names;
};

TEST(RunLog, TellsTheRunAndWhatFailedInIt) {
    LogNames logs;
    RunLogLayer layer;
    async::Runtime runtime;
    runtime.block_on([&]() -> Task<void> {
        engine::RunRequest request;
        request.graph = engine::testing::make_graph("start:s\nfail:f", "s>f");
        engine::GraphEngine engine(std::move(request), real_clock(), real_random());
        engine.add_layer(layer);
        engine::testing::EventLog log;
        static_cast<void>(co_await engine.run(log));
    });
    EXPECT_EQ(
        logs.names,
        (std::vector<std::string>{names::kLogRunStarted, names::kLogNodeFailed, names::kLogRunEnded}
        )
    );
}

}  // namespace
}  // namespace flowspan::observe
