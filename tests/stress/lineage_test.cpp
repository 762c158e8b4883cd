// The check of the stress test finds what it is there to find.

#include "tests/stress/lineage.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/context_storage.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace flowspan::stress {
namespace {

LineageRow good_root() {
    LineageRow row;
    row.trace = row.expected_trace = {1, 2};
    row.span = 10;
    row.task = 1;
    row.has_expectation = true;
    return row;
}

LineageRow good_child() {
    auto row = good_root();
    row.span = 11;
    row.parent = row.expected_parent = 10;
    return row;
}

TEST(Lineage, SpansInTheirPlaceAreNoFault) {
    const auto report = check_lineage({good_child(), good_root()});
    EXPECT_EQ(report.faults(), 0);
    EXPECT_EQ(report.spans, 2);
    EXPECT_EQ(report.traces, 1);
    EXPECT_EQ(report.roots, 1);
}

TEST(Lineage, EveryFaultIsCounted) {
    struct Case {
        const char* title;
        std::function<void(LineageRow&)> spoil;
        std::int64_t LineageReport::* count;
    };

    const Case cases[] = {
        {"wrong parent",
         [](LineageRow& row) { row.expected_parent = 9; },
         &LineageReport::misparented},
        {"wrong trace",
         [](LineageRow& row) { row.expected_trace = {1, 3}; },
         &LineageReport::misparented},
        {"root that should not be one",
         [](LineageRow& row) { row.parent = 0; },
         &LineageReport::misparented},
        {"parent never ended",
         [](LineageRow& row) { row.parent = row.expected_parent = 12; },
         &LineageReport::orphans},
        {"parent of another trace",
         [](LineageRow& row) { row.trace = row.expected_trace = {1, 3}; },
         &LineageReport::orphans},
        {"no expectation",
         [](LineageRow& row) { row.has_expectation = false; },
         &LineageReport::strangers},
        {"recorded twice", [](LineageRow& row) { row = good_root(); }, &LineageReport::repeated_ids
        },
        {"another task's trace",
         [](LineageRow& row) { row.task = 2; },
         &LineageReport::shared_traces},
    };
    for (const auto& test : cases) {
        auto child = good_child();
        test.spoil(child);
        const auto report = check_lineage({good_root(), child});
        EXPECT_EQ(report.*test.count, 1) << test.title;
    }
}

/// Records the spans of `body(tally)`, run as a task.
struct Trial {
    template <class Body>
    explicit Trial(Body body) {
        const auto sink = std::make_shared<LineageSink>();
        exporting::TelemetryConfig config;
        config.sinks = {sink};
        const auto telemetry = exporting::Telemetry::start(std::move(config));
        const auto leaked_before = trace::leaked_scope_count();
        {
            async::Runtime runtime;
            runtime.block_on(body, std::ref(tally));
        }
        leaked_scopes = trace::leaked_scope_count() - leaked_before;
        open_spans = (*telemetry)->counts().open;
        report = check_lineage(sink->take());
    }

    Tally tally;
    LineageReport report;
    std::uint64_t leaked_scopes = 0;
    std::uint64_t open_spans = 0;
};

Task<void> release(std::unique_ptr<LineageSpan> span) {
    span.reset();
    co_return;
}

TEST(Lineage, ScopeReleasedInAForeignTaskIsFound) {
    const Trial trial([](Tally& tally) -> Task<void> {
        const LineageSpan root(1);
        auto lent = std::make_unique<LineageSpan>(root.place(), "lent");
        async::TaskGroup group(co_await async::this_executor());
        group.spawn(release, std::move(lent));
        co_await group.join();
        // The scope is still open here, though its span has ended.
        tally.expect_current(root.place());
        const LineageSpan after(root.place(), "after");
    });
    EXPECT_EQ(trial.tally.wrong_contexts, 1);
    EXPECT_EQ(trial.report.misparented, 1);
    EXPECT_EQ(trial.tally.samples().size(), 1U);
    EXPECT_EQ(trial.report.samples.size(), 1U);
}

TEST(Lineage, ScopeThatIsNeverReleasedIsFound) {
    const Trial trial([](Tally& tally) -> Task<void> {
        static_cast<void>(tally);
        const auto span = trace::tracer().StartSpan("kept");
        // The task's context goes before the token does.
        static std::vector<opentelemetry::nostd::unique_ptr<opentelemetry::context::Token>> kept;
        kept.push_back(opentelemetry::context::RuntimeContext::Attach(
            opentelemetry::context::Context().SetValue("left", true)
        ));
        span->End();
        co_return;
    });
    EXPECT_EQ(trial.leaked_scopes, 1U);
    EXPECT_EQ(trial.report.strangers, 1);
}

TEST(Lineage, SpanThatIsNeverEndedIsFound) {
    trace::SpanPtr kept;
    const Trial trial([&kept](Tally& tally) -> Task<void> {
        static_cast<void>(tally);
        kept = trace::tracer().StartSpan("kept");
        co_return;
    });
    EXPECT_EQ(trial.open_spans, 1U);
}

}  // namespace
}  // namespace flowspan::stress
