#include "export/dialect.hpp"

#include "export/dialect_names.hpp"
#include "export/test_records.hpp"
#include "flowspan/trace/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace flowspan::exporting {
namespace {

namespace names = trace::names;
using testing::Contains;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;

/// Attributes as text: texts as they are, whole numbers as digits, others by kind.
std::map<std::string, std::string> read(const SpanRecord& span) {
    std::map<std::string, std::string> found;
    span.for_each_attribute([&found](const AttributeView& attribute) {
        auto& text = found[std::string(attribute.key)];
        if (const auto* words = std::get_if<std::string_view>(&attribute.value)) {
            text = *words;
        } else if (const auto* whole = std::get_if<std::int64_t>(&attribute.value)) {
            text = "int " + std::to_string(*whole);
        } else if (std::holds_alternative<double>(attribute.value)) {
            text = "double";
        } else if (const auto* list = std::get_if<TextList>(&attribute.value)) {
            list->for_each([&text](std::string_view item) { text += "<" + std::string(item) + ">"; }
            );
        } else {
            text = "other";
        }
    });
    return found;
}

constexpr std::string_view kPrompt =
    R"([{"role":"system","parts":[{"type":"text","content":"be kind"}]},)"
    R"({"role":"user","parts":[{"type":"text","content":"hi"},{"type":"text","content":"you"}]}])";
constexpr std::string_view kAnswer =
    R"([{"role":"assistant","parts":[{"type":"text","content":"hello"},)"
    R"({"type":"tool_call","id":"c1","name":"now","arguments":{"zone":"UTC"}}],)"
    R"("finish_reason":"stop"}])";

constexpr std::string_view kTools =
    R"([{"type":"function","name":"now","description":"Tells","parameters":{"type":"object"}}])";

std::shared_ptr<SpanRecord> chat_span() {
    static const std::string_view kReasons[] = {"stop"};
    auto span = make_record(
        {.name = "chat m",
         .attributes =
             {
                 {names::kGenAiOperationName, std::string_view("chat")},
                 {names::kGenAiProviderName, std::string_view("openai")},
                 {names::kGenAiRequestModel, std::string_view("m")},
                 {names::kGenAiResponseModel, std::string_view("m-1")},
                 {names::kGenAiRequestTemperature, 0.5},
                 {names::kGenAiUsageInputTokens, std::int64_t{7}},
                 {names::kGenAiUsageOutputTokens, std::int64_t{3}},
                 {names::kGenAiResponseFinishReasons, std::span<const std::string_view>(kReasons)},
                 {names::kGenAiResponseTimeToFirstChunk, 0.25},
                 {names::kDifyUsageTotalPrice, 0.125},
                 {names::kGenAiInputMessages, kPrompt},
                 {names::kGenAiOutputMessages, kAnswer},
                 {names::kGenAiToolDefinitions, kTools},
                 {names::kFlowspanChunkCount, std::int64_t{2}},
             }}
    );
    auto run = std::make_shared<trace::RunScope>();
    run->app_id = "app-1";
    run->app_name = "Support";
    run->run_id = "run-1";
    run->session_id = "talk-1";
    run->user_id = "ada";
    run->tags = {"chat", "beta"};
    span->run = run;
    return span;
}

std::map<std::string, std::string> told(std::string_view dialect, const SpanRecord& span) {
    SpanWriter writer(span);
    find_dialect(dialect)->write(SpanFacts(span), writer);
    const auto made = writer.take();
    EXPECT_EQ(made->trace_id, span.trace_id);
    EXPECT_EQ(made->span_id, span.span_id);
    EXPECT_EQ(made->end_ns(), span.end_ns());
    return read(*made);
}

TEST(Dialect, OpenInferenceFlattensAModelCall) {
    EXPECT_THAT(
        told("openinference", *chat_span()),
        testing::AllOf(
            IsSupersetOf(std::initializer_list<std::pair<const std::string, std::string>>{
                {"openinference.span.kind", "LLM"},
                {"llm.model_name", "m-1"},
                {"llm.request.model_name", "m"},
                {"llm.provider", "openai"},
                {"llm.invocation_parameters", R"({"temperature":5E-1})"},
                {"llm.finish_reason", "stop"},
                {"llm.token_count.prompt", "int 7"},
                {"llm.token_count.completion", "int 3"},
                {"llm.token_count.total", "int 10"},
                {"llm.cost.total", "double"},
                {"llm.input_messages.0.message.role", "system"},
                {"llm.input_messages.1.message.content", "hi\nyou"},
                {"llm.output_messages.0.message.content", "hello"},
                {"llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "now"},
                {"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
                 R"({"zone":"UTC"})"},
                {"llm.tools.0.tool.json_schema",
                 R"({"type":"function","function":{"name":"now","description":"Tells",)"
                 R"("parameters":{"type":"object"}}})"},
                {"input.mime_type", "application/json"},
                {"session.id", "talk-1"},
                {"user.id", "ada"},
                {"tag.tags", "<chat><beta>"},
            }),
            Not(Contains(Key(testing::StartsWith("gen_ai.")))),
            Not(Contains(Key(testing::StartsWith("flowspan."))))
        )
    );
}

TEST(Dialect, LangfuseTellsAGenerationWithUsageAndCost) {
    EXPECT_THAT(
        told("langfuse", *chat_span()),
        testing::AllOf(
            IsSupersetOf(std::initializer_list<std::pair<const std::string, std::string>>{
                {"langfuse.observation.type", "generation"},
                {"langfuse.observation.model.name", "m-1"},
                {"langfuse.observation.model.parameters", R"({"temperature":5E-1})"},
                {"langfuse.observation.usage_details", R"({"input":7,"output":3,"total":10})"},
                {"langfuse.observation.cost_details", R"({"total":1.25E-1})"},
                {"langfuse.observation.completion_start_time", "2026-01-31T00:00:00.250000Z"},
                {"langfuse.observation.input", std::string(kPrompt)},
                {"langfuse.observation.output", std::string(kAnswer)},
                {"langfuse.session.id", "talk-1"},
                {"langfuse.user.id", "ada"},
                {"langfuse.trace.tags", "<chat><beta>"},
                {"langfuse.observation.metadata.workflow_run_id", "run-1"},
            }),
            // Its own usage is preferred; a second one would be counted again.
            Not(Contains(Key(testing::StartsWith("gen_ai.usage"))))
        )
    );
}

TEST(Dialect, LangSmithGetsItsOwnKindMessagesAndThread) {
    EXPECT_THAT(
        told("langsmith", *chat_span()),
        IsSupersetOf(std::initializer_list<std::pair<const std::string, std::string>>{
            {"langsmith.span.kind", "llm"},
            {"gen_ai.system", "openai"},
            {"gen_ai.request.model", "m"},
            {"gen_ai.usage.input_tokens", "int 7"},
            {"gen_ai.usage.total_tokens", "int 10"},
            {"gen_ai.prompt.0.role", "system"},
            {"gen_ai.prompt.1.content", "hi\nyou"},
            {"gen_ai.completion.0.content", "hello"},
            {"langsmith.metadata.thread_id", "talk-1"},
            {"langsmith.span.tags", "chat,beta"},
        })
    );
}

TEST(Dialect, DifyUsesItsOwnNames) {
    const auto chat = told("dify", *chat_span());
    EXPECT_THAT(
        chat,
        testing::AllOf(
            IsSupersetOf(std::initializer_list<std::pair<const std::string, std::string>>{
                {"gen_ai.span.kind", "LLM"},
                {"gen_ai.framework", "dify"},
                {"gen_ai.usage.total_tokens", "int 10"},
                {"gen_ai.response.finish_reason", "stop"},
                {"gen_ai.completion", "hello"},
                {"gen_ai.prompt",
                 R"([{"role":"system","text":"be kind"},{"role":"user","text":"hi\nyou"}])"},
            }),
            Not(Contains(Key("gen_ai.response.finish_reasons")))
        )
    );
    auto node = make_record(
        {.name = "node tool",
         .attributes =
             {
                 {names::kNodeId, std::string_view("n1")},
                 {names::kNodeType, std::string_view("tool")},
                 {names::kDifyNodeTitle, std::string_view("Look it up")},
                 {names::kGenAiSpanKind, std::string_view("TOOL")},
             }}
    );
    SpanWriter writer(*node);
    write_dify(SpanFacts(*node), writer);
    const auto made = writer.take();
    EXPECT_EQ(made->name(), "Look it up");
    EXPECT_EQ(made->text("gen_ai.tool.name"), "Look it up");
}

TEST(Dialect, OpenTelemetryHasNoForeignNames) {
    auto node = make_record(
        {.name = "node llm",
         .attributes =
             {
                 {names::kNodeType, std::string_view("llm")},
                 {names::kGenAiSpanKind, std::string_view("LLM")},
                 {names::kInputValue, std::string_view("{}")},
             }}
    );
    const auto attributes = told("opentelemetry", *node);
    EXPECT_THAT(attributes, Contains(Pair("flowspan.input", "{}")));
    EXPECT_THAT(attributes, Not(Contains(Key("gen_ai.span.kind"))));
    EXPECT_THAT(attributes, Not(Contains(Key("input.value"))));
}

struct StepCase {
    std::string_view operation;
    const char* openinference;
    const char* langfuse;
    const char* langsmith;
};

TEST(Dialect, EveryStepHasItsKind) {
    const StepCase cases[] = {
        {"chat", "LLM", "generation", "llm"},
        {"embeddings", "EMBEDDING", "embedding", "embedding"},
        {"retrieval", "RETRIEVER", "retriever", "retriever"},
        {"rerank", "RERANKER", "retriever", "retriever"},
        {"execute_tool", "TOOL", "tool", "tool"},
        {"invoke_agent", "AGENT", "agent", "chain"},
        {"invoke_workflow", "CHAIN", "chain", "chain"},
        {"moderation", "GUARDRAIL", "guardrail", "chain"},
        {"generate_name", "CHAIN", "chain", "chain"},
    };
    for (const auto& item : cases) {
        const auto span =
            make_record({.attributes = {{names::kGenAiOperationName, item.operation}}});
        EXPECT_EQ(told("openinference", *span)["openinference.span.kind"], item.openinference);
        EXPECT_EQ(told("langfuse", *span)["langfuse.observation.type"], item.langfuse);
        EXPECT_EQ(told("langsmith", *span)["langsmith.span.kind"], item.langsmith);
    }
}

TEST(Dialect, LeavesSpansOfOthersAsTheyAre) {
    const auto http = make_record(
        {.name = "GET",
         .attributes =
             {
                 {names::kHttpRequestMethod, std::string_view("GET")},
                 {names::kUrlFull, std::string_view("http://h/")},
                 {names::kHttpResponseStatusCode, std::int64_t{200}},
             }}
    );
    for (const auto& dialect : all_dialects()) {
        if (dialect.write != nullptr) {
            EXPECT_THAT(
                told(dialect.name, *http),
                IsSupersetOf(std::initializer_list<std::pair<const std::string, std::string>>{
                    {"http.request.method", "GET"},
                    {"url.full", "http://h/"},
                    {"http.response.status_code", "int 200"},
                })
            ) << dialect.name;
        }
    }
}

TEST(Dialect, FlattensDocumentsWithTheirScores) {
    const auto span = make_record(
        {.attributes =
             {
                 {names::kGenAiOperationName, std::string_view("retrieval")},
                 {names::kGenAiRetrievalQueryText, std::string_view("why")},
                 {names::kGenAiRetrievalDocuments,
                  std::string_view(R"([{"id":"d1","score":0.5,"content":"text","dataset_id":"s"}])")
                 },
             }}
    );
    EXPECT_THAT(
        told("openinference", *span),
        IsSupersetOf(std::initializer_list<std::pair<const std::string, std::string>>{
            {"input.value", "why"},
            {"input.mime_type", "text/plain"},
            {"retrieval.documents.0.document.id", "d1"},
            {"retrieval.documents.0.document.score", "double"},
            {"retrieval.documents.0.document.content", "text"},
            {"retrieval.documents.0.document.metadata", R"({"dataset_id":"s"})"},
        })
    );
    EXPECT_THAT(
        told("dify", *span),
        Contains(Pair(
            "retrieval.document",
            R"([{"document":{"id":"d1","score":5E-1,"content":"text","metadata":{"dataset_id":"s"}}}])"
        ))
    );
}

TEST(Dialect, IsFoundByName) {
    EXPECT_EQ(find_dialect("klingon"), nullptr);
    EXPECT_EQ(all_dialects().front().write, nullptr) << "the default: as recorded";
    for (const auto& dialect : all_dialects()) {
        EXPECT_EQ(find_dialect(dialect.name), &dialect);
        EXPECT_FALSE(dialect.description.empty());
    }
}

}  // namespace
}  // namespace flowspan::exporting
