#include "export/probe.hpp"

#include "export/shaped_sink.hpp"
#include "export/stored_span.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/trace/names.hpp"

#include <opentelemetry/sdk/trace/id_generator.h>
#include <opentelemetry/sdk/trace/random_id_generator_factory.h>

#include <memory>
#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;
using opentelemetry::trace::SpanKind;

namespace {

struct SampleSpan {
    std::string_view name;
    std::size_t parent = 0;  // index of an earlier one; the first has none
    SpanKind kind = SpanKind::kInternal;
    std::vector<std::pair<std::string_view, SpanRecord::Value>> attributes;
};

constexpr std::string_view kPrompt =
    R"([{"role":"user","parts":[{"type":"text","content":"Does this trace arrive?"}]}])";
constexpr std::string_view kAnswer =
    R"([{"role":"assistant","parts":[{"type":"text","content":"It does."}],"finish_reason":"stop"}])";
constexpr std::string_view kInputs = R"({"question":"Does this trace arrive?"})";
constexpr std::string_view kOutputs = R"({"answer":"It does."})";

std::vector<SampleSpan> sample_spans() {
    using Text = std::string_view;
    return {
        {"AppGenerateService.generate",
         0,
         SpanKind::kInternal,
         {{names::kDifyAppName, Text("flowspan trace test")},
          {names::kInputValue, kInputs},
          {names::kOutputValue, kOutputs}}},
        {"invoke_workflow flowspan trace test",
         0,
         SpanKind::kInternal,
         {{names::kGenAiOperationName, Text("invoke_workflow")},
          {names::kGenAiWorkflowName, Text("flowspan trace test")},
          {names::kDifyWorkflowStatus, Text("succeeded")}}},
        {"node llm",
         1,
         SpanKind::kInternal,
         {{names::kNodeId, Text("ask")},
          {names::kNodeType, Text("llm")},
          {names::kDifyNodeTitle, Text("Ask")},
          {names::kGenAiSpanKind, Text("LLM")}}},
        {"chat sample-1",
         2,
         SpanKind::kClient,
         {{names::kGenAiOperationName, Text("chat")},
          {names::kGenAiProviderName, Text("flowspan")},
          {names::kGenAiRequestModel, Text("sample-1")},
          {names::kGenAiUsageInputTokens, std::int64_t{5}},
          {names::kGenAiUsageOutputTokens, std::int64_t{2}},
          {names::kGenAiInputMessages, kPrompt},
          {names::kGenAiOutputMessages, kAnswer}}},
        {"execute_tool sample",
         1,
         SpanKind::kInternal,
         {{names::kGenAiOperationName, Text("execute_tool")},
          {names::kGenAiToolName, Text("sample")},
          {names::kGenAiToolType, Text("function")}}},
        {"GET",
         4,
         SpanKind::kClient,
         {{names::kHttpRequestMethod, Text("GET")},
          {names::kUrlFull, Text("http://sample.invalid/")},
          {names::kHttpResponseStatusCode, std::int64_t{200}}}},
        {"score flowspan trace test",
         0,
         SpanKind::kInternal,
         {{names::kGenAiEvaluationName, Text("flowspan trace test")},
          {names::kGenAiEvaluationScoreValue, 1.0},
          {names::kFlowspanScoreSource, Text("flowspan")}}},
    };
}

trace::RunScopePtr sample_run() {
    auto run = std::make_shared<trace::RunScope>();
    run->app_id = "flowspan-trace-test";
    run->app_name = "flowspan trace test";
    run->app_mode = "workflow";
    run->run_id = make_uuid(real_random());
    run->session_id = "flowspan-trace-test";
    run->user_id = "flowspan";
    run->invoke_from = "cli";
    run->tags = {"flowspan-trace-test"};
    run->modes = trace::ContentModes(trace::CaptureMode::full);
    return run;
}

}  // namespace

std::vector<SpanRecordPtr> make_sample_trace() {
    using std::chrono::nanoseconds;
    constexpr std::int64_t kStep = 10'000'000;
    const auto ids = opentelemetry::sdk::trace::RandomIdGeneratorFactory::Create();
    const auto trace_id = ids->GenerateTraceId();
    const auto run = sample_run();
    const auto samples = sample_spans();
    const auto now =
        std::chrono::duration_cast<nanoseconds>(real_clock().system_now().time_since_epoch());
    const auto total = static_cast<std::int64_t>(samples.size()) * kStep;
    std::vector<SpanRecordPtr> spans;
    for (const auto& sample : samples) {
        const auto index = static_cast<std::int64_t>(spans.size());
        auto span = std::make_shared<SpanRecord>();
        span->trace_id = trace_id;
        span->span_id = ids->GenerateSpanId();
        if (index > 0) {
            span->parent_span_id = spans[sample.parent]->span_id;
        }
        span->start_ns = now.count() - total + index * kStep / 2;
        span->duration_ns = total - index * kStep;
        span->kind = sample.kind;
        span->trace_flags = 1;
        span->run = run;
        span->set_name(sample.name);
        span->set_scope("flowspan", "", "");
        for (const auto& [key, value] : sample.attributes) {
            span->set_attribute(key, value, {});
        }
        span->finish();
        spans.push_back(std::move(span));
    }
    return spans;
}

ProbeResult probe(const Destination& destination, const ExportResource& resource) {
    ProbeResult result;
    result.name = destination.name.empty() ? destination.otlp.endpoint : destination.name;
    result.dialect = destination.dialect;
    auto sink = make_destination_sink(destination);
    if (!sink) {
        result.error = std::move(sink).error();
        return result;
    }
    result.name = (*sink)->name();
    (*sink)->begin(resource);
    std::vector<SpanRecordPtr> batch;
    for (const auto& span : make_sample_trace()) {
        batch.push_back((*sink)->prepare(span));
    }
    result.sent = batch.size();
    result.trace_id = to_hex(batch.front()->trace_id);
    const auto started = real_clock().steady_now();
    auto receipt = (*sink)->export_spans(batch);
    result.elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(real_clock().steady_now() - started);
    if (!receipt) {
        const bool is_score = (*sink)->arrived_of_failed() > 0;
        (is_score ? result.score_error : result.error) = std::move(receipt).error();
        return result;
    }
    result.rejected = receipt->rejected;
    result.reason = std::move(receipt->reason);
    return result;
}

}  // namespace flowspan::exporting
