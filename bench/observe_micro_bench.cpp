// What the span layer costs: a node's span with its facts beside the bare SDK's, and a hook while
// tracing is off.

#include "export/memory_sink.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"
#include "observe/observability_layer.hpp"

#include <benchmark/benchmark.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/simple_processor.h>
#include <opentelemetry/sdk/trace/span_data.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/scope.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace {

namespace engine = flowspan::engine;
namespace names = flowspan::trace::names;
namespace trace = flowspan::trace;
namespace sdk = opentelemetry::sdk;

/// Takes spans and drops them.
class DropExporter final : public sdk::trace::SpanExporter {
public:
    std::unique_ptr<sdk::trace::Recordable> MakeRecordable() noexcept override {
        return std::make_unique<sdk::trace::SpanData>();
    }

    sdk::common::ExportResult Export(
        const opentelemetry::nostd::span<std::unique_ptr<sdk::trace::Recordable>>& /*spans*/
    ) noexcept override {
        return sdk::common::ExportResult::kSuccess;
    }

    bool ForceFlush(std::chrono::microseconds /*timeout*/) noexcept override { return true; }

    bool Shutdown(std::chrono::microseconds /*timeout*/) noexcept override { return true; }
};

class BenchRun final : public engine::RunView {
public:
    const engine::RunInfo& info() const noexcept override { return info_; }

    const flowspan::value::VariablePool& variables() const noexcept override { return variables_; }

    std::int64_t step_count() const noexcept override { return 0; }

    std::int64_t total_tokens() const noexcept override { return 0; }

    double total_price() const noexcept override { return 0; }

    flowspan::SteadyTime started_at() const noexcept override { return {}; }

    engine::RunStatus status() const noexcept override { return engine::RunStatus::succeeded; }

    void request_abort(std::string /*reason*/) override {}

    std::shared_ptr<void>& slot(const engine::Layer& /*layer*/) override { return slot_; }

private:
    engine::RunInfo info_;
    flowspan::value::VariablePool variables_;
    std::shared_ptr<void> slot_;
};

/// One http-request node, again and again.
struct BenchNode {
    BenchNode() {
        node.node_id = "1711067409646";
        node.node_type = "http-request";
        node.title = "Fetch the page";
        node.execution_id = "3b7f1c52-5a6d-4b8e-9a77-0d1f0c6a2b11";
        node.container = &top;
        node.ready_at = std::chrono::steady_clock::now();
        node.started_at = node.ready_at;
        node.started_at_utc = std::chrono::system_clock::now();
        result.status = engine::NodeStatus::succeeded;
        result.record.facts = engine::HttpFacts{"GET", "http://example/", 200};
    }

    engine::ContainerPosition top;
    engine::NodeRun node;
    engine::NodeResult result;
};

void write_http(trace::Span& span) {
    trace::set(span, names::kHttpRequestMethod, "GET");
    trace::set(span, names::kUrlFull, "http://example.org/a/page");
    trace::set(span, names::kServerAddress, "example.org");
    trace::set(span, names::kServerPort, std::int64_t{80});
}

// The attributes that the layer writes of such a node, and the four of the call.
void node_span_bare_sdk(benchmark::State& state) {
    trace::install_context_storage();
    auto provider = std::make_shared<sdk::trace::TracerProvider>(
        std::make_unique<sdk::trace::SimpleSpanProcessor>(std::make_unique<DropExporter>())
    );
    const auto tracer = provider->GetTracer("bench");
    const BenchNode bench;
    for (auto _ : state) {
        auto span = tracer->StartSpan("node http-request");
        const opentelemetry::trace::Scope scope(span);
        trace::set(*span, names::kNodeId, bench.node.node_id);
        trace::set(*span, names::kNodeType, bench.node.node_type);
        trace::set(*span, names::kNodeExecutionId, bench.node.execution_id);
        trace::set(*span, names::kDifyNodeTitle, bench.node.title);
        trace::set(*span, names::kDifyNodeIndex, bench.node.index);
        trace::set(*span, names::kGenAiSpanKind, "TASK");
        trace::set(*span, names::kFlowspanReadyDelay, 0.0);
        trace::set(*span, names::kDifyNodeStatus, "succeeded");
        trace::set(*span, names::kHttpRequestMethod, "GET");
        trace::set(*span, names::kHttpResponseStatusCode, std::int64_t{200});
        write_http(*span);
        span->End();
    }
}

void run_node(engine::Layer& layer, BenchRun& run, const BenchNode& bench) {
    layer.on_node_run_start(run, bench.node);
    write_http(*opentelemetry::trace::GetSpan(trace::current_context()));
    layer.on_node_run_end(run, bench.node, nullptr);
    layer.on_event(run, engine::NodeRunSucceeded{&bench.node, &bench.result});
}

void node_span_through_the_layer(benchmark::State& state) {
    flowspan::exporting::TelemetryConfig config;
    config.sinks.push_back(std::make_shared<flowspan::exporting::NullSink>());
    const auto telemetry = flowspan::exporting::Telemetry::start(std::move(config));
    if (!telemetry) {
        std::exit(1);
    }
    const trace::CapturePolicy policy;
    flowspan::observe::ObservabilityLayer layer(policy);
    BenchRun run;
    layer.on_graph_start(run);
    const BenchNode bench;
    for (auto _ : state) {
        run_node(layer, run, bench);
    }
    layer.on_graph_end(run, nullptr);
}

// As a program records it by default. The store's own work is not the span's: most ends are dropped
// from its full queue.
void node_span_with_the_store(benchmark::State& state) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("flowspan-bench-" + std::to_string(::getpid()));
    flowspan::exporting::TelemetryConfig config;
    config.store.emplace().path = (folder / "traces.db").string();
    config.batch.queue_spans_max = 512;
    const auto telemetry = flowspan::exporting::Telemetry::start(std::move(config));
    if (!telemetry) {
        std::exit(1);
    }
    const trace::CapturePolicy policy;
    flowspan::observe::ObservabilityLayer layer(policy);
    BenchRun run;
    layer.on_graph_start(run);
    const BenchNode bench;
    for (auto _ : state) {
        run_node(layer, run, bench);
    }
    layer.on_graph_end(run, nullptr);
    (*telemetry)->shutdown();
    std::filesystem::remove_all(folder);
}

// Three hooks: start, end and an event.
void three_hooks_off(benchmark::State& state) {
    const trace::CapturePolicy policy;
    flowspan::observe::ObservabilityLayer layer(policy);
    BenchRun run;
    layer.on_graph_start(run);
    const BenchNode bench;
    engine::Layer& hooks = layer;
    benchmark::DoNotOptimize(&hooks);
    for (auto _ : state) {
        hooks.on_node_run_start(run, bench.node);
        hooks.on_node_run_end(run, bench.node, nullptr);
        hooks.on_event(run, engine::NodeRunSucceeded{&bench.node, &bench.result});
    }
    layer.on_graph_end(run, nullptr);
}

BENCHMARK(node_span_bare_sdk);
BENCHMARK(node_span_through_the_layer);
BENCHMARK(node_span_with_the_store);
BENCHMARK(three_hooks_off);

}  // namespace
