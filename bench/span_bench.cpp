// What the span layer costs: a node's span with its facts beside the bare SDK's, and a hook while
// tracing is off.

#include "benches.hpp"
#include "export/memory_sink.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"
#include "observe/observability_layer.hpp"
#include "observe/testing/quiet_run.hpp"

#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/simple_processor.h>
#include <opentelemetry/sdk/trace/span_data.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/scope.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace flowspan::bench {

namespace {

namespace names = trace::names;
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

/// One way of doing the same work many times.
using Work = std::function<void()>;

double ns_each(int count, const Work& work) {
    const auto us = time_us([&] {
        for (int i = 0; i < count; ++i) {
            work();
        }
    });
    return us * 1000 / count;
}

/// The attributes that the layer writes of such a node, and the four of the call, with the stock
/// processor and an exporter that drops them.
class BareSdk {
public:
    void work() const {
        auto span = tracer_->StartSpan("node http-request");
        const opentelemetry::trace::Scope scope(span);
        trace::set(*span, names::kNodeId, bench_.node.node_id);
        trace::set(*span, names::kNodeType, bench_.node.node_type);
        trace::set(*span, names::kNodeExecutionId, bench_.node.execution_id);
        trace::set(*span, names::kDifyNodeTitle, bench_.node.title);
        trace::set(*span, names::kDifyNodeIndex, bench_.node.index);
        trace::set(*span, names::kGenAiSpanKind, "TASK");
        trace::set(*span, names::kFlowspanReadyDelay, 0.0);
        trace::set(*span, names::kDifyNodeStatus, "succeeded");
        trace::set(*span, names::kHttpRequestMethod, "GET");
        trace::set(*span, names::kHttpResponseStatusCode, std::int64_t{200});
        write_http(*span);
        span->End();
    }

private:
    BenchNode bench_;
    std::shared_ptr<sdk::trace::TracerProvider> provider_ =
        std::make_shared<sdk::trace::TracerProvider>(
            std::make_unique<sdk::trace::SimpleSpanProcessor>(std::make_unique<DropExporter>())
        );
    opentelemetry::nostd::shared_ptr<opentelemetry::trace::Tracer> tracer_ =
        provider_->GetTracer("bench");
};

/// The layer's hooks for one node after the other.
class Hooks {
public:
    Hooks() { layer_.on_graph_start(run_); }

    ~Hooks() { layer_.on_graph_end(run_, nullptr); }

    Hooks(const Hooks&) = delete;
    Hooks& operator=(const Hooks&) = delete;

    void start() { layer_.on_node_run_start(run_, bench_.node); }

    void end() {
        layer_.on_node_run_end(run_, bench_.node, nullptr);
        layer_.on_event(run_, engine::NodeRunSucceeded{&bench_.node, &bench_.result});
    }

private:
    BenchNode bench_;
    observe::QuietRun run_;
    const trace::CapturePolicy policy_;
    observe::ObservabilityLayer layer_{policy_};
};

/// Nanoseconds of a node's span through the layer.
double layer_ns(int count, exporting::TelemetryConfig config) {
    const auto telemetry = exporting::Telemetry::start(std::move(config));
    if (!telemetry) {
        std::exit(1);
    }
    Hooks hooks;
    return ns_each(count, [&hooks] {
        hooks.start();
        write_http(*opentelemetry::trace::GetSpan(trace::current_context()));
        hooks.end();
    });
}

double dropping_ns(int count) {
    exporting::TelemetryConfig config;
    config.sinks.push_back(std::make_shared<exporting::NullSink>());
    return layer_ns(count, std::move(config));
}

// As a program records it by default. The store's own work is not the span's: most ends are dropped
// from its full queue.
double storing_ns(int count) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("flowspan-bench-" + std::to_string(::getpid()));
    exporting::TelemetryConfig config;
    config.store.emplace().path = (folder / "traces.db").string();
    config.batch.queue_spans_max = 512;
    const auto ns = layer_ns(count, std::move(config));
    std::filesystem::remove_all(folder);
    return ns;
}

// Three hooks for each node: start, end and an event.
double hook_off_ns(int count) {
    Hooks hooks;
    return ns_each(
               count,
               [&hooks] {
                   hooks.start();
                   hooks.end();
               }
           ) /
           3;
}

}  // namespace

std::vector<Measurement> measure_spans(const Effort& effort) {
    trace::install_context_storage();
    const std::string title = "a node's span with four HTTP attributes";
    Measurement bare{"node_span_bare_ns", title + ", bare SDK", "ns", {}, {}};
    Measurement ratio{"node_span_ratio", "the same with all of the layer, to it", "times", {}, 1.5};
    Measurement stored{
        "node_span_stored_ratio", "the same with the local store as well, to it", "times", {}, {}
    };
    Measurement off{"hook_off_ns", "a hook while tracing is off", "ns", {}, 10};
    const int count = effort.pick(100'000, 1000);
    const BareSdk sdk_spans;
    for (int i = 0; i < effort.pick(9, 1); ++i) {
        const auto bare_ns = ns_each(count, [&sdk_spans] { sdk_spans.work(); });
        bare.runs.push_back(bare_ns);
        ratio.runs.push_back(dropping_ns(count) / bare_ns);
        stored.runs.push_back(storing_ns(count) / bare_ns);
        off.runs.push_back(hook_off_ns(count));
    }
    return {std::move(bare), std::move(ratio), std::move(stored), std::move(off)};
}

}  // namespace flowspan::bench
