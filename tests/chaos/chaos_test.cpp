// Two thousand mixed runs at once, cancelled and disturbed: no span is lost, doubled or misplaced.

#include "flowspan/async/task_context.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "tests/chaos/chaos_run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace flowspan::chaos {
namespace {

// ThreadSanitizer slows everything down tenfold, and finds what there is in fewer runs.
#if defined(__has_feature) && __has_feature(thread_sanitizer)
constexpr std::int64_t kRuns = 400;
constexpr std::int64_t kFewRuns = 100;
#else
constexpr std::int64_t kRuns = 2000;
constexpr std::int64_t kFewRuns = 300;
#endif

template <class Number>
void read_variable(const char* name, Number& number) {
    if (const char* given = std::getenv(name)) {
        number = static_cast<Number>(std::strtoull(given, nullptr, 10));
    }
}

TEST(Chaos, NoSpanIsLostDoubledOrMisplaced) {
    const auto contexts_before = async::TaskContext::live_count();
    ChaosOptions options;
    options.runs = kRuns;
    read_variable("FLOWSPAN_CHAOS_SEED", options.seed);
    read_variable("FLOWSPAN_CHAOS_RUNS", options.runs);
    const auto outcome = run_chaos(options);
    fmt::print("{}\n", describe(options, outcome));
    std::fflush(stdout);

    const auto& spans = outcome.spans;
    for (const auto& sample : spans.samples) {
        ADD_FAILURE() << sample;
    }
    EXPECT_EQ(spans.orphans, 0);
    EXPECT_EQ(spans.misparented, 0);
    EXPECT_EQ(spans.outside_of_nodes, 0);
    EXPECT_EQ(spans.ended_twice, 0);
    EXPECT_EQ(spans.strangers, 0);
    EXPECT_EQ(outcome.books.open, 0U) << "spans that nobody ended";
    EXPECT_EQ(outcome.books.started, outcome.books.ended());
    EXPECT_EQ(outcome.books.started, static_cast<std::uint64_t>(spans.spans));
    EXPECT_EQ(spans.roots, options.runs) << "a run is one trace";
    EXPECT_EQ(spans.traces, options.runs);
    EXPECT_EQ(async::TaskContext::live_count(), contexts_before);

    // A part that nobody waits for any more may end before its first span begins.
    EXPECT_LE(spans.resumed, outcome.resumptions);
    EXPECT_GE(spans.resumed, outcome.resumptions - outcome.left);

    // What was thrown in was noticed, and nothing else.
    const auto& anomalies = outcome.anomalies;
    EXPECT_EQ(anomalies.repeated_starts, static_cast<std::uint64_t>(outcome.doubled_starts));
    EXPECT_EQ(anomalies.ends_without_start, static_cast<std::uint64_t>(outcome.doubled_ends));
    EXPECT_EQ(
        anomalies.late_events,
        static_cast<std::uint64_t>(outcome.late_results + outcome.repeated_results)
    );
    EXPECT_EQ(
        anomalies.leftovers + anomalies.expired,
        static_cast<std::uint64_t>(outcome.lost_results + outcome.late_results)
    );
    EXPECT_EQ(anomalies.parser_failures, 0U);

    // It was chaotic.
    EXPECT_EQ(outcome.refused, 0);
    const auto runs = options.runs;
    EXPECT_GT(outcome.succeeded, runs / 5);
    EXPECT_GT(outcome.partial, runs / 50);
    EXPECT_GT(outcome.failed, runs / 50);
    EXPECT_GT(outcome.stopped, runs / 50);
    EXPECT_GT(outcome.left, runs / 50);
    EXPECT_GT(outcome.resumptions, runs / 10);
    EXPECT_GT(spans.http, 2 * runs);
    EXPECT_GT(spans.sql, runs / 20);
    EXPECT_GT(outcome.lost_results + outcome.late_results, runs / 20);
}

TEST(Chaos, WithoutDisorderNothingIsOutOfOrder) {
    ChaosOptions options;
    options.runs = kFewRuns;
    options.has_disorder = false;
    const auto outcome = run_chaos(options);
    fmt::print("{}\n", describe(options, outcome));
    for (const auto& sample : outcome.spans.samples) {
        ADD_FAILURE() << sample;
    }
    for (const auto& leftover : outcome.spans.leftovers) {
        ADD_FAILURE() << leftover;
    }
    EXPECT_EQ(outcome.spans.faults(), 0);
    EXPECT_EQ(outcome.books.open, 0U);
    EXPECT_EQ(outcome.anomalies, observe::LayerCounts());
}

TEST(Chaos, PausedRunsComeToTheSameEnds) {
    ChaosOptions options;
    options.runs = kFewRuns;
    options.stopped_percent = 0;
    options.left_percent = 0;
    options.has_disorder = false;
    options.paused_percent = 0;
    const auto straight = run_chaos(options);
    options.paused_percent = 100;
    const auto paused = run_chaos(options);
    fmt::print("{}\n", describe(options, paused));
    EXPECT_EQ(paused.succeeded, straight.succeeded);
    EXPECT_EQ(paused.partial, straight.partial);
    EXPECT_EQ(paused.failed, straight.failed);
    EXPECT_EQ(paused.refused, 0);
    EXPECT_GT(paused.pauses, straight.pauses + options.runs / 4);
    EXPECT_EQ(paused.resumptions, paused.pauses);
    EXPECT_EQ(paused.spans.resumed, paused.resumptions);
    EXPECT_EQ(paused.spans.faults(), 0);
    for (const auto& sample : paused.spans.samples) {
        ADD_FAILURE() << sample;
    }
    EXPECT_EQ(paused.books.open, 0U);
    EXPECT_EQ(paused.anomalies, observe::LayerCounts());
}

}  // namespace
}  // namespace flowspan::chaos
