// 10,000 tasks on 4 threads that nest spans over suspensions, children, timers, pools, libcurl's
// callbacks and cancellations: every span hangs where it should, and nothing is left over.

#include "flowspan/async/runtime.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "model_server/model_server.hpp"
#include "tests/stress/stress_task.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace flowspan::stress {
namespace {

constexpr std::size_t kLoops = 4;

/// Set FLOWSPAN_STRESS_SEED to repeat a run.
std::uint64_t choose_seed() {
    const char* given = std::getenv("FLOWSPAN_STRESS_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

std::unique_ptr<exporting::Telemetry> start_telemetry(std::shared_ptr<LineageSink> sink) {
    exporting::TelemetryConfig config;
    config.sinks = {std::move(sink)};
    auto telemetry = exporting::Telemetry::start(std::move(config));
    return telemetry ? *std::move(telemetry) : nullptr;
}

model_server::ModelServerConfig quick_server() {
    model_server::ModelServerConfig config;
    config.script.tokens = 6;
    config.script.first_delay = std::chrono::milliseconds(1);
    config.script.gap = std::chrono::milliseconds(1);
    return config;
}

void run_on_all_loops(Stress& stress) {
    async::Runtime runtime({.loops = kLoops, .cpu_threads = 2, .blocking_threads = 2});
    std::vector<std::jthread> callers;
    for (std::size_t loop = 0; loop < kLoops; ++loop) {
        callers.emplace_back([&runtime, &stress, loop] {
            runtime.block_on(
                runtime.loop_executor(loop),
                run_stress_tasks,
                std::ref(stress),
                static_cast<std::int64_t>(loop),
                static_cast<std::int64_t>(kLoops)
            );
        });
    }
}

void print(const Stress& stress, const LineageReport& report) {
    const auto& tally = stress.tally;
    fmt::print(
        "{} tasks ({} done, {} cancelled in their middle), {} spans in {} traces, {} suspensions "
        "(at least {} a task), {} timers, {} pool hops, {} children, {} deadlines, {} shielded "
        "clean-ups, {} transfers ({} cancelled in their middle, {} failed) with {} callbacks\n",
        stress.options.tasks,
        tally.tasks_done.load(),
        tally.tasks_cancelled.load(),
        report.spans,
        report.traces,
        tally.suspensions.load(),
        tally.suspensions_min.load(),
        tally.timers.load(),
        tally.pool_hops.load(),
        tally.children.load(),
        tally.deadlines.load(),
        tally.shields.load(),
        tally.transfers.load(),
        tally.transfers.load() - tally.transfers_done.load(),
        tally.transfers_failed.load(),
        tally.callbacks.load()
    );
}

void expect_stress_was_stressful(const Stress& stress) {
    const auto& tally = stress.tally;
    const auto tasks = stress.options.tasks;
    EXPECT_GT(tally.tasks_done, tasks / 3);
    EXPECT_GT(tally.tasks_cancelled, tasks / 20);
    EXPECT_GE(tally.suspensions_min, 20);
    EXPECT_GT(tally.timers, tasks);
    EXPECT_GT(tally.pool_hops, tasks / 2);
    EXPECT_GT(tally.children, tasks);
    EXPECT_GT(tally.deadlines, tasks / 20);
    EXPECT_GT(tally.shields, tasks / 100);
    EXPECT_GT(tally.transfers, tasks / 25);
    EXPECT_GT(tally.transfers, tally.transfers_done) << "none was cancelled in its middle";
    EXPECT_GT(tally.callbacks, tally.transfers);
    EXPECT_EQ(tally.transfers_failed, 0);
}

TEST(ContextStress, TenThousandTasksOnFourThreadsKeepTheirContexts) {
    const auto contexts_before = async::TaskContext::live_count();
    const auto leaked_before = trace::leaked_scope_count();
    const auto sink = std::make_shared<LineageSink>();
    const auto telemetry = start_telemetry(sink);
    ASSERT_NE(telemetry, nullptr);
    model_server::ModelServer server(quick_server());
    ASSERT_TRUE(server.start());
    Stress stress;
    stress.options.seed = choose_seed();
    stress.server_url = server.url();
    fmt::print("FLOWSPAN_STRESS_SEED={}\n", stress.options.seed);
    std::fflush(stdout);
    {
        const auto client = http::make_http_client({.proxy = ""});
        stress.client = client.get();
        run_on_all_loops(stress);
    }
    const auto counts = telemetry->counts();
    const auto report = check_lineage(sink->take());
    print(stress, report);

    EXPECT_EQ(stress.tally.wrong_contexts, 0);
    for (const auto& sample : stress.tally.samples()) {
        ADD_FAILURE() << sample;
    }
    EXPECT_EQ(report.misparented, 0);
    EXPECT_EQ(report.faults(), 0);
    for (const auto& sample : report.samples) {
        ADD_FAILURE() << sample;
    }
    EXPECT_EQ(counts.open, 0U) << "spans that nobody ended";
    EXPECT_EQ(counts.started, counts.ended());
    EXPECT_EQ(counts.started, static_cast<std::uint64_t>(report.spans)) << "every span was checked";
    EXPECT_EQ(async::TaskContext::live_count(), contexts_before);
    EXPECT_EQ(trace::leaked_scope_count(), leaked_before);
    expect_stress_was_stressful(stress);
}

}  // namespace
}  // namespace flowspan::stress
