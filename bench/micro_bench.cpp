// Single operations: what a traced call, a task, a variable and a span cost.

#include "export/memory_sink.hpp"
#include "flowspan/async/pools.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/trace_span.hpp"
#include "flowspan/value/text_template.hpp"
#include "flowspan/value/variable_pool.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <opentelemetry/trace/scope.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace {

using flowspan::Task;
namespace async = flowspan::async;
namespace trace = flowspan::trace;
namespace value = flowspan::value;
namespace exporting = flowspan::exporting;

/// Spans of this scope go through the SDK and our pipeline to a sink that drops them.
std::unique_ptr<exporting::Telemetry> start_tracing() {
    exporting::TelemetryConfig config;
    config.sinks.push_back(std::make_shared<exporting::NullSink>());
    auto telemetry = exporting::Telemetry::start(std::move(config));
    if (!telemetry) {
        fmt::print(stderr, "flowspan_micro_bench: {}\n", telemetry.error().describe());
        std::exit(1);
    }
    return *std::move(telemetry);
}

struct AddHandler {
    std::string_view span_name(int /*a*/, int /*b*/) const { return "add"; }

    void on_start(trace::Span& span, int a, int b) const {
        trace::set(span, "bench.a", std::int64_t{a});
        trace::set(span, "bench.b", std::int64_t{b});
    }
};

int add(int a, int b) {
    benchmark::DoNotOptimize(a);
    return a + b;
}

Task<int> add_later(int a, int b) {
    benchmark::DoNotOptimize(a);
    co_return a + b;
}

void traced_calls(benchmark::State& state) {
    const auto traced_add = trace::trace_span<AddHandler>(add);
    for (auto _ : state) {
        benchmark::DoNotOptimize(traced_add(1, 2));
    }
}

Task<void> await_traced(benchmark::State& state) {
    const auto traced_add = trace::trace_span<AddHandler>(add_later);
    for (auto _ : state) {
        benchmark::DoNotOptimize(co_await traced_add(1, 2));
    }
}

void bare_call(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(add(1, 2));
    }
}

void trace_span_off(benchmark::State& state) {
    traced_calls(state);
}

void trace_span_on(benchmark::State& state) {
    const auto telemetry = start_tracing();
    traced_calls(state);
}

void trace_span_coroutine_off(benchmark::State& state) {
    async::Runtime runtime;
    runtime.block_on(await_traced, std::ref(state));
}

void trace_span_coroutine_on(benchmark::State& state) {
    const auto telemetry = start_tracing();
    async::Runtime runtime;
    runtime.block_on(await_traced, std::ref(state));
}

Task<void> yield_often(benchmark::State& state) {
    for (auto _ : state) {
        co_await async::yield_now();
    }
}

void context_hop(benchmark::State& state) {
    trace::install_context_storage();
    async::Runtime runtime;
    runtime.block_on(yield_often, std::ref(state));
}

Task<void> do_nothing() {
    co_return;
}

Task<void> spawn_often(benchmark::State& state) {
    async::TaskGroup group(co_await async::this_executor());
    for (auto _ : state) {
        group.spawn(do_nothing);
        co_await group.join();
    }
}

void task_spawn_and_join(benchmark::State& state) {
    async::Runtime runtime;
    runtime.block_on(spawn_often, std::ref(state));
}

void pool_hop(benchmark::State& state) {
    async::Runtime runtime;
    runtime.block_on(
        [](benchmark::State& inner) -> Task<void> {
            for (auto _ : inner) {
                co_await async::on_cpu([] {});
            }
        },
        std::ref(state)
    );
}

value::VariablePool make_pool() {
    value::VariablePool pool;
    for (int i = 0; i < 50; ++i) {
        pool.set(fmt::format("node{}", i), "output", value::Value::string("some text"));
    }
    return pool;
}

void variable_find(benchmark::State& state) {
    const auto pool = make_pool();
    for (auto _ : state) {
        benchmark::DoNotOptimize(pool.find("node25", "output"));
    }
}

void variable_set(benchmark::State& state) {
    auto pool = make_pool();
    const auto text = value::Value::string("other text");
    for (auto _ : state) {
        pool.set("node25", "output", text);
    }
}

void pool_copy(benchmark::State& state) {
    const auto pool = make_pool();
    for (auto _ : state) {
        benchmark::DoNotOptimize(value::VariablePool(pool));
    }
}

void template_render(benchmark::State& state) {
    const auto pool = make_pool();
    const value::TextTemplate text("Dear {{#node1.output#}}, here is {{#node2.output#}}. Bye.");
    for (auto _ : state) {
        benchmark::DoNotOptimize(text.to_text(pool));
    }
}

void span_with_six_attributes(benchmark::State& state) {
    const auto telemetry = start_tracing();
    auto& tracer = trace::tracer();
    for (auto _ : state) {
        auto span = tracer.StartSpan("node variable-aggregator");
        const opentelemetry::trace::Scope scope(span);
        trace::set(*span, "node.id", "1711067409646");
        trace::set(*span, "node.type", "variable-aggregator");
        trace::set(*span, "node.execution_id", "3b7f1c52-5a6d-4b8e-9a77-0d1f0c6a2b11");
        trace::set(*span, "dify.node.title", "Pick the first answer");
        trace::set(*span, "dify.node.index", std::int64_t{7});
        trace::set(*span, "dify.node.status", "succeeded");
        span->End();
    }
    const auto counts = telemetry->counts();
    state.counters["dropped"] = static_cast<double>(counts.sinks.front().dropped.total());
}

BENCHMARK(bare_call);
BENCHMARK(trace_span_off);
BENCHMARK(trace_span_on);
BENCHMARK(trace_span_coroutine_off)->UseRealTime();
BENCHMARK(trace_span_coroutine_on)->UseRealTime();
BENCHMARK(context_hop)->UseRealTime();
BENCHMARK(task_spawn_and_join)->UseRealTime();
BENCHMARK(pool_hop)->UseRealTime();
BENCHMARK(variable_find);
BENCHMARK(variable_set);
BENCHMARK(pool_copy);
BENCHMARK(template_render);
BENCHMARK(span_with_six_attributes);

}  // namespace

BENCHMARK_MAIN();
