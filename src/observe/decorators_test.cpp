// Spans of tools, agents and their rounds, and retrieval, around scripted insides.

#include "flowspan/async/runtime.hpp"
#include "observe/testing/span_tree.hpp"
#include "observe/traced_agent.hpp"
#include "observe/traced_chat_model.hpp"
#include "observe/traced_knowledge.hpp"
#include "observe/traced_search_models.hpp"
#include "observe/traced_tools.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace flowspan::observe {
namespace {

namespace names = trace::names;
using opentelemetry::trace::SpanKind;
using opentelemetry::trace::StatusCode;

trace::CapturePolicy full_policy() {
    trace::CapturePolicy policy;
    policy.readers = {trace::ContentRules{trace::ContentModes(trace::CaptureMode::full), {}}};
    return policy;
}

/// Gives one tool `weather` with a secret parameter; fails when the argument `city` is missing.
class WeatherTool final : public tools::Tool {
public:
    WeatherTool() {
        description_.ref = {"builtin", "met", "met", "weather"};
        description_.text = "says how it is outside";
        description_.parameters.emplace();
        description_.parameters->push_back(
            {.name = "key", .type = tools::ParameterType::secret, .is_required = true}
        );
    }

    const tools::ToolDescription& description() const noexcept override { return description_; }

    Task<Result<tools::ToolReply>> invoke(json::object arguments, const tools::ToolContext&)
        const override {
        co_await async::yield_now();
        if (!arguments.contains("city")) {
            co_return failure(
                Error(ErrorCode::invalid_input, "city is missing").with_type("ToolParameterError")
            );
        }
        tools::ToolReply reply;
        reply.messages.emplace_back(tools::TextMessage{"sunny"});
        reply.usage = tools::ToolUsage{.total_tokens = 7};
        co_return reply;
    }

private:
    tools::ToolDescription description_;
};

class OneTool final : public tools::ToolProvider {
public:
    Result<std::unique_ptr<const tools::Tool>> find(const tools::ToolRef& ref) const override {
        if (ref.tool != "weather") {
            return nullptr;
        }
        return std::make_unique<WeatherTool>();
    }
};

class DecoratorsTest : public ::testing::Test {
protected:
    template <class Function>
    SpanTree record(Function function) {
        async::Runtime runtime;
        runtime.block_on(runtime.next_executor(), std::move(function));
        return SpanTree(recording_.take());
    }

    trace::SpanRecording recording_;
    trace::CapturePolicy policy_;
    trace::CapturePolicy full_ = full_policy();
};

TEST_F(DecoratorsTest, ToolIsNamedAndItsSecretsStayInside) {
    OneTool provider;
    const auto traced = trace_tools(provider, full_);
    const auto tree = record([&traced]() -> Task<void> {
        const auto tool = *traced->find({.tool = "weather"});
        const tools::ToolContext context{.call_id = "call-1"};
        const auto reply = co_await tool->invoke({{"city", "Oslo"}, {"key", "s3cret"}}, context);
        EXPECT_TRUE(reply);
    });
    const auto* span = tree.find("execute_tool weather");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetSpanKind(), SpanKind::kInternal);
    EXPECT_EQ(span->GetStatus(), StatusCode::kUnset);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiOperationName), "execute_tool");
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiToolName), "weather");
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiToolCallId), "call-1");
    EXPECT_EQ(SpanTree::text(*span, names::kFlowspanToolProvider), "met");
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanToolTokens), 7);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiToolCallArguments), R"({"city":"Oslo"})");
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiToolCallResult), "sunny");
}

TEST_F(DecoratorsTest, FailedToolIsAnErrorWithOneEventAndNoContentByDefault) {
    OneTool provider;
    const auto traced = trace_tools(provider, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        const auto tool = *traced->find({.tool = "weather"});
        const tools::ToolContext context;
        EXPECT_FALSE(co_await tool->invoke({{"town", "Oslo"}}, context));
    });
    const auto* span = tree.find("execute_tool weather");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetStatus(), StatusCode::kError);
    EXPECT_EQ(SpanTree::text(*span, names::kErrorType), "ToolParameterError");
    EXPECT_EQ(span->GetEvents().size(), 1U);
    EXPECT_FALSE(SpanTree::has(*span, names::kGenAiToolCallArguments));
}

TEST_F(DecoratorsTest, UnknownToolStaysUnknown) {
    OneTool provider;
    const auto traced = trace_tools(provider, policy_);
    const auto found = traced->find({.tool = "other"});
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, nullptr);
}

/// Fails or answers as the request's user says.
class FixedModel final : public model::ChatModel {
public:
    Task<Result<model::ChatReply>> chat(
        const model::ChatRequest& request, model::ChatListener& listener
    ) override {
        if (request.user == "fail") {
            co_return failure(Error(ErrorCode::rate_limited, "slow down").with_type("RateLimit"));
        }
        listener.on_text("hi");
        model::ChatReply reply;
        reply.text = "hi";
        reply.finish_reason = "stop";
        reply.usage = {.prompt_tokens = 5, .completion_tokens = 1, .time_to_first_token = 0.25};
        reply.timing = {.chunk_count = 4, .chunk_gap_max = 0.5, .chunk_gap_mean = 0.125};
        reply.attempts = 2;
        co_return reply;
    }

    model::ModelFeatures features(const model::ModelRef&) const override { return {}; }

    model::EndpointFacts endpoint(const model::ModelRef&) const override {
        return {"openai", "api.example", 443};
    }
};

class SilentChat final : public model::ChatListener {
public:
    void on_text(std::string_view /*piece*/) override {}
};

/// Streams two chunks and breaks off.
class BrokenModel final : public model::ChatModel {
public:
    Task<Result<model::ChatReply>> chat(
        const model::ChatRequest& /*request*/, model::ChatListener& listener
    ) override {
        listener.on_text("Hel");
        listener.on_text("lo");
        model::ChatReply partial;
        partial.text = "Hello";
        partial.response_id = "r1";
        partial.timing = {.chunk_count = 2, .chunk_gap_max = 0.5, .chunk_gap_mean = 0.5};
        partial.attempts = 2;
        listener.on_broken_off(partial);
        co_return failure(ErrorCode::unavailable, "broke off");
    }

    model::ModelFeatures features(const model::ModelRef&) const override { return {}; }

    model::EndpointFacts endpoint(const model::ModelRef&) const override {
        return {"openai", "api.example", 443};
    }
};

class TextKeeper final : public model::ChatListener {
public:
    void on_text(std::string_view piece) override { text += piece; }

    std::string text;
};

TEST_F(DecoratorsTest, ModelCallThatBreaksOffTellsWhatCameOfIt) {
    BrokenModel model;
    const auto traced = trace_chat_model(model, full_);
    TextKeeper keeper;
    const auto tree = record([&]() -> Task<void> {
        model::ChatRequest request;
        request.model.name = "m";
        EXPECT_FALSE(co_await traced->chat(request, keeper));
    });
    EXPECT_EQ(keeper.text, "Hello");
    const auto* span = tree.find("chat m");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanChunkCount), 2);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanAttemptCount), 2);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiResponseId), "r1");
    EXPECT_NE(SpanTree::text(*span, names::kGenAiOutputMessages).find("Hello"), std::string::npos);
    EXPECT_EQ(SpanTree::text(*span, names::kErrorType), "unavailable");
}

/// Answers after a call of its tool, in two rounds.
class ScriptedRound final : public agent::AgentRound {
public:
    explicit ScriptedRound(const tools::Tool& tool) : tool_(tool) {}

    Task<Result<bool>> run(agent::AgentState& state) override {
        co_await async::yield_now();
        state.result.usage.prompt_tokens += 3;
        state.result.usage.completion_tokens += 2;
        if (state.round == 1) {
            static_cast<void>(co_await tool_.invoke({{"city", "Oslo"}}, state.request.tool_context)
            );
            co_return false;
        }
        state.result.text = "sunny";
        co_return true;
    }

private:
    const tools::Tool& tool_;
};

class SilentListener final : public agent::AgentListener {
public:
    void on_text(std::string_view /*piece*/) override {}
};

TEST_F(DecoratorsTest, AgentHasARoundSpanForEachRoundAndToolsBelowThem) {
    OneTool provider;
    const auto traced = trace_tools(provider, policy_);
    const auto tool = *traced->find({.tool = "weather"});
    ScriptedRound round(*tool);
    const auto traced_round = trace_agent_round(round);
    const auto plain = agent::make_agent(*traced_round);
    const FixedModel model;
    const auto subject = trace_agent(*plain, model, full_);
    const auto tree = record([&subject]() -> Task<void> {
        agent::AgentRequest request;
        request.name = "helper";
        request.query = "how is it outside?";
        request.model = {"langgenius/openai/openai", "gpt"};
        SilentListener listener;
        EXPECT_TRUE(co_await subject->run(request, listener));
    });
    const auto* span = tree.find("invoke_agent helper");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetSpanKind(), SpanKind::kInternal);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiAgentName), "helper");
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiProviderName), "openai") << "as the model's spans";
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanAgentRounds), 2);
    EXPECT_EQ(SpanTree::integer(*span, names::kGenAiUsageInputTokens), 6);
    EXPECT_EQ(tree.parent_of("agent round"), "invoke_agent helper");
    EXPECT_EQ(tree.parent_of("execute_tool weather"), "agent round");
    EXPECT_EQ(tree.all().size(), 4U);
    std::vector<std::int64_t> rounds;
    for (const auto& one : tree.all()) {
        if (one->GetName() == "agent round") {
            rounds.push_back(SpanTree::integer(*one, names::kFlowspanAgentRound));
        }
    }
    EXPECT_EQ(rounds, (std::vector<std::int64_t>{1, 2}));
}

class FixedKnowledge final : public knowledge::KnowledgeStore {
public:
    Task<Result<knowledge::Dataset>> create_dataset(std::string, std::string) override {
        co_return failure(ErrorCode::unsupported, "fixed");
    }

    Task<Result<std::vector<knowledge::Dataset>>> list_datasets() override {
        co_return std::vector<knowledge::Dataset>();
    }

    Task<Result<knowledge::AddedDocument>> add_document(knowledge::NewDocument) override {
        co_return failure(ErrorCode::unsupported, "fixed");
    }

    Task<Result<knowledge::ResolvedDatasets>> resolve(std::vector<std::string>) override {
        co_return knowledge::ResolvedDatasets();
    }

    Task<Result<std::vector<std::string>>> metadata_fields(std::vector<std::string>) override {
        co_return std::vector<std::string>();
    }

    Task<Result<knowledge::RetrievalReply>> retrieve(knowledge::RetrievalRequest request) override {
        if (request.query.empty()) {
            co_return failure(ErrorCode::invalid_input, "no query");
        }
        knowledge::RetrievalReply reply;
        auto& segment = reply.segments.emplace_back();
        segment.id = "s1";
        segment.content = "secret text";
        segment.score = 0.5;
        co_return reply;
    }
};

TEST_F(DecoratorsTest, RetrievalTellsIdsAndScoresButNoTextByDefault) {
    FixedKnowledge store;
    const auto traced = trace_knowledge(store, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        EXPECT_TRUE(co_await traced->retrieve({.dataset_ids = {"d1"}, .query = "q", .top_k = 3}));
    });
    const auto* span = tree.find("retrieval d1");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetSpanKind(), SpanKind::kClient);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiDataSourceId), "d1");
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanDocumentCount), 1);
    EXPECT_EQ(
        SpanTree::text(*span, names::kGenAiRetrievalDocuments), R"([{"id":"s1","score":5E-1}])"
    );
    EXPECT_FALSE(SpanTree::has(*span, names::kGenAiRetrievalQueryText));
}

TEST_F(DecoratorsTest, FailedRetrievalIsAnError) {
    FixedKnowledge store;
    const auto traced = trace_knowledge(store, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        EXPECT_FALSE(co_await traced->retrieve({.dataset_ids = {"d1", "d2"}}));
    });
    const auto* span = tree.find("retrieval d1,d2");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetStatus(), StatusCode::kError);
    EXPECT_EQ(SpanTree::text(*span, names::kErrorType), "invalid_input");
}

TEST_F(DecoratorsTest, ModelCallTellsHowItsAnswerWasStreamed) {
    FixedModel inner;
    const auto traced = trace_chat_model(inner, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        const model::ChatRequest request{.model = {"openai", "m"}};
        SilentChat listener;
        EXPECT_TRUE(co_await traced->chat(request, listener));
    });
    const auto* span = tree.find("chat m");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetSpanKind(), SpanKind::kClient);
    EXPECT_DOUBLE_EQ(SpanTree::number(*span, names::kGenAiResponseTimeToFirstChunk), 0.25);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanChunkCount), 4);
    EXPECT_DOUBLE_EQ(SpanTree::number(*span, names::kFlowspanChunkGapMax), 0.5);
    EXPECT_DOUBLE_EQ(SpanTree::number(*span, names::kFlowspanChunkGapMean), 0.125);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanAttemptCount), 2);
    EXPECT_FALSE(SpanTree::has(*span, names::kGenAiOutputMessages));
}

TEST_F(DecoratorsTest, ParametersHaveTheTypesOfTheConventions) {
    FixedModel inner;
    const auto traced = trace_chat_model(inner, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        // As apps write them: whole numbers for fractions and the other way round.
        const model::ChatRequest request{
            .model = {"openai", "m"},
            .parameters =
                {{"temperature", 1},
                 {"top_p", 0},
                 {"presence_penalty", 2},
                 {"frequency_penalty", -1},
                 {"max_tokens", 512.0},
                 {"top_k", 40.0},
                 {"seed", 7},
                 {"stop", "x"}},
        };
        SilentChat listener;
        EXPECT_TRUE(co_await traced->chat(request, listener));
    });
    const auto* span = tree.find("chat m");
    ASSERT_NE(span, nullptr);
    const auto& attributes = span->GetAttributes();
    for (const auto* key :
         {names::kGenAiRequestTemperature,
          names::kGenAiRequestTopP,
          names::kGenAiRequestPresencePenalty,
          names::kGenAiRequestFrequencyPenalty}) {
        EXPECT_TRUE(opentelemetry::nostd::holds_alternative<double>(attributes.at(key))) << key;
    }
    EXPECT_EQ(SpanTree::integer(*span, names::kGenAiRequestMaxTokens), 512);
    EXPECT_EQ(SpanTree::integer(*span, names::kGenAiRequestTopK), 40);
    EXPECT_EQ(SpanTree::integer(*span, names::kGenAiRequestSeed), 7);
    EXPECT_DOUBLE_EQ(SpanTree::number(*span, names::kGenAiRequestFrequencyPenalty), -1);
}

TEST_F(DecoratorsTest, ToolsThatAModelIsOfferedAreContentOfTheCall) {
    FixedModel inner;
    const auto call = [this, &inner](const trace::CapturePolicy& policy) {
        const auto traced = trace_chat_model(inner, policy);
        return record([&traced]() -> Task<void> {
            const model::ChatRequest request{
                .model = {"openai", "m"},
                .tools = {{"now", "Tells the time", json::object{{"type", "object"}}}},
            };
            SilentChat listener;
            EXPECT_TRUE(co_await traced->chat(request, listener));
        });
    };
    const auto shown = call(full_);
    EXPECT_EQ(
        SpanTree::text(*shown.find("chat m"), names::kGenAiToolDefinitions),
        R"([{"type":"function","name":"now","description":"Tells the time","parameters":{"type":"object"}}])"
    );
    const auto hidden = call(policy_);
    EXPECT_FALSE(SpanTree::has(*hidden.find("chat m"), names::kGenAiToolDefinitions));
    EXPECT_GT(SpanTree::integer(*hidden.find("chat m"), names::kFlowspanDefinitionsBytes), 0);
}

TEST_F(DecoratorsTest, FailedModelCallIsAnErrorOfItsType) {
    FixedModel inner;
    const auto traced = trace_chat_model(inner, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        const model::ChatRequest request{.model = {"openai", "m"}, .user = "fail"};
        SilentChat listener;
        EXPECT_FALSE(co_await traced->chat(request, listener));
    });
    const auto* span = tree.find("chat m");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetStatus(), StatusCode::kError);
    EXPECT_EQ(SpanTree::text(*span, names::kErrorType), "RateLimit");
    EXPECT_EQ(span->GetEvents().size(), 1U);
}

class FixedSearchModels final : public model::EmbeddingModel, public model::RerankModel {
public:
    Task<Result<model::EmbeddingReply>> embed(const model::EmbeddingRequest& request) override {
        model::EmbeddingReply reply;
        reply.vectors.assign(request.texts.size(), {0.5F, 0.25F, 0});
        reply.input_tokens = 12;
        reply.response_model = "e-2024";
        reply.attempts = 2;
        co_return reply;
    }

    Task<Result<model::RerankReply>> rerank(const model::RerankRequest& request) override {
        if (request.query.empty()) {
            co_return failure(Error(ErrorCode::rate_limited, "slow down").with_type("RateLimit"));
        }
        model::RerankReply reply;
        reply.results = {{1, 0.9}, {0, 0.1}};
        co_return reply;
    }

    bool has_endpoint(const model::ModelRef&) const override { return true; }

    model::EndpointFacts endpoint(const model::ModelRef&) const override {
        return {"jina", "api.example", 443};
    }
};

TEST_F(DecoratorsTest, EmbeddingsTellTheirSizeAndNoText) {
    FixedSearchModels inner;
    const auto policy = full_policy();
    const auto traced = trace_embedding_model(inner, policy);
    const auto tree = record([&traced]() -> Task<void> {
        const model::EmbeddingRequest request{{"jina", "e"}, {"secret", "text"}};
        EXPECT_TRUE(co_await traced->embed(request));
    });
    const auto* span = tree.find("embeddings e");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetSpanKind(), SpanKind::kClient);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiOperationName), "embeddings");
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiProviderName), "jina");
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiRequestModel), "e");
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiResponseModel), "e-2024");
    EXPECT_EQ(SpanTree::text(*span, names::kServerAddress), "api.example");
    EXPECT_EQ(SpanTree::integer(*span, names::kGenAiEmbeddingsDimensionCount), 3);
    EXPECT_EQ(SpanTree::integer(*span, names::kGenAiUsageInputTokens), 12);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanTextCount), 2);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanDocumentsBytes), 10);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanAttemptCount), 2);
}

TEST_F(DecoratorsTest, RerankTellsScoresAndTheQuestionWhereItMay) {
    FixedSearchModels inner;
    const auto policy = full_policy();
    const auto traced = trace_rerank_model(inner, policy);
    const auto tree = record([&traced]() -> Task<void> {
        const model::RerankRequest request{{"jina", "r"}, "why?", {"a", "b"}, 2};
        EXPECT_TRUE(co_await traced->rerank(request));
    });
    const auto* span = tree.find("rerank r");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(span->GetSpanKind(), SpanKind::kClient);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiOperationName), "rerank");
    EXPECT_EQ(SpanTree::integer(*span, names::kGenAiRequestTopK), 2);
    EXPECT_EQ(SpanTree::integer(*span, names::kFlowspanDocumentCount), 2);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiRetrievalQueryText), "why?");

    const auto plain = trace_rerank_model(inner, policy_);
    const auto failed = record([&plain]() -> Task<void> {
        const model::RerankRequest request{{"jina", "r"}, "", {"a"}, 2};
        EXPECT_FALSE(co_await plain->rerank(request));
    });
    const auto* error = failed.find("rerank r");
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->GetStatus(), StatusCode::kError);
    EXPECT_EQ(SpanTree::text(*error, names::kErrorType), "RateLimit");
    EXPECT_FALSE(SpanTree::has(*error, names::kGenAiRetrievalQueryText));
}

}  // namespace
}  // namespace flowspan::observe
