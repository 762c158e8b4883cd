// The counter-trial: the same tasks over OpenTelemetry's own storage, which keeps the current
// context with the thread. A program of its own, because the storage is set once for a process.

#include "flowspan/async/runtime.hpp"
#include "flowspan/export/provider.hpp"
#include "tests/stress/stress_task.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <opentelemetry/context/runtime_context.h>

#include <memory>

namespace flowspan::stress {
namespace {

namespace context = opentelemetry::context;

TEST(ContextStress, FailsWithAContextThatBelongsToTheThread) {
    const auto sink = std::make_shared<LineageSink>();
    exporting::TelemetryConfig config;
    config.sinks = {sink};
    const auto telemetry = exporting::Telemetry::start(std::move(config));
    ASSERT_TRUE(telemetry);
    context::RuntimeContext::SetRuntimeContextStorage(
        opentelemetry::nostd::shared_ptr<context::RuntimeContextStorage>(
            new context::ThreadLocalContextStorage()
        )
    );
    Stress stress;
    stress.options.tasks = 200;
    stress.options.seed = 1;
    stress.options.cancelled_percent = 0;
    {
        async::Runtime runtime;
        runtime.block_on(run_stress_tasks, std::ref(stress), 0, 1);
    }
    const auto report = check_lineage(sink->take());
    fmt::print(
        "{} of {} spans hang wrong, {} times the wrong context was current\n",
        report.misparented,
        report.spans,
        stress.tally.wrong_contexts.load()
    );
    EXPECT_GT(report.misparented, report.spans / 10);
    EXPECT_GT(stress.tally.wrong_contexts, report.spans / 10);
}

}  // namespace
}  // namespace flowspan::stress
