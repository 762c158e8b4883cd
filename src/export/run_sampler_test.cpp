#include "export/run_sampler.hpp"

#include "export/test_records.hpp"
#include "flowspan/trace/names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::exporting {
namespace {

namespace names = trace::names;

RunSamplingConfig only_interesting() {
    RunSamplingConfig config;
    config.ratio = 0;
    return config;
}

/// Ends a child and the root of a trace; returns what was released and the judgement.
RunSampler::Outcome run(RunSampler& sampler, const TestSpan& root, const TestSpan& child) {
    sampler.on_root_start(test_trace_id(root.trace));
    const auto first = sampler.on_end(make_record(child));
    EXPECT_TRUE(first.released.empty()) << "nothing goes on before the run is over";
    return sampler.on_end(make_record(root));
}

void expect_balanced(const RunSampler& sampler) {
    const auto counts = sampler.counts();
    EXPECT_EQ(
        counts.offered,
        counts.released + counts.sampled_out + counts.sampled_early + counts.undecided
    );
}

TEST(RunSampler, KeepsWhatFailedWasSlowCostlyOrFlaggedWholeAndDropsTheRest) {
    auto config = only_interesting();
    config.slow = std::chrono::milliseconds(500);
    config.tokens = 1000;
    config.cost = 0.5;
    const TestSpan root{.id = 1};
    const TestSpan child{.id = 2, .parent = 1};

    struct Case {
        std::string_view judgement;
        TestSpan root;
        TestSpan child;
    };

    auto failed = child;
    failed.error = "no";
    auto slow = root;
    slow.duration_us = 500'000;
    auto slow_child = child;
    slow_child.duration_us = 500'000;
    auto thirsty = child;
    thirsty.kind = opentelemetry::trace::SpanKind::kClient;
    thirsty.attributes = {
        {names::kGenAiUsageInputTokens, std::int64_t{900}},
        {names::kGenAiUsageOutputTokens, std::int64_t{100}}
    };
    auto expensive = root;
    expensive.attributes = {{names::kDifyWorkflowTotalPrice, 0.5}};
    auto flagged = root;
    flagged.attributes = {{names::kFlowspanSamplingKeep, true}};
    auto not_flagged = root;
    not_flagged.attributes = {{names::kFlowspanSamplingKeep, false}};
    const std::vector<Case> cases = {
        {"kept: failed", root, failed},
        {"kept: slow", slow, child},
        {"dropped: ratio", root, slow_child},
        {"kept: costly", root, thirsty},
        {"kept: costly", expensive, child},
        {"kept: flagged", flagged, child},
        {"dropped: ratio", not_flagged, child},
        {"dropped: ratio", root, child},
    };
    RunSampler sampler(config);
    std::uint8_t trace = 0;
    for (auto test : cases) {
        test.root.trace = test.child.trace = ++trace;
        const auto outcome = run(sampler, test.root, test.child);
        EXPECT_EQ(outcome.judgement, test.judgement) << int{trace};
        EXPECT_EQ(outcome.released.size(), test.judgement.starts_with("kept") ? 2U : 0U);
    }
    EXPECT_EQ(sampler.counts().released, 10U);
    EXPECT_EQ(sampler.counts().sampled_out, 6U);
    EXPECT_EQ(sampler.counts().undecided, 0U);
}

TEST(RunSampler, KeepsTheGivenShareOfOrdinaryRunsByTheirId) {
    RunSamplingConfig config;
    config.ratio = 0.3;
    std::map<int, bool> kept;
    for (int round = 0; round < 2; ++round) {
        RunSampler sampler(config);
        for (int i = 1; i <= 200; ++i) {
            const auto trace = static_cast<std::uint8_t>(i);
            const auto outcome =
                run(sampler, {.id = 1, .trace = trace}, {.id = 2, .parent = 1, .trace = trace});
            const bool is_kept = outcome.released.size() == 2;
            const auto [found, is_new] = kept.emplace(i, is_kept);
            EXPECT_TRUE(is_new || found->second == is_kept) << "the id alone decides";
        }
    }
    const auto count = std::ranges::count_if(kept, [](const auto& entry) { return entry.second; });
    EXPECT_GT(count, 30);
    EXPECT_LT(count, 90);
}

TEST(RunSampler, SpansAfterTheRunFollowItsJudgement) {
    RunSampler sampler(only_interesting());
    const TestSpan root{.id = 1, .trace = 1};
    const TestSpan failed{.id = 2, .parent = 1, .error = "no", .trace = 1};
    EXPECT_EQ(run(sampler, root, failed).released.size(), 2U);
    EXPECT_EQ(sampler.on_end(make_record({.id = 3, .parent = 1, .trace = 1})).released.size(), 1U);
    EXPECT_EQ(
        run(sampler, {.id = 1, .trace = 2}, {.id = 2, .parent = 1, .trace = 2}).judgement,
        "dropped: ratio"
    );
    EXPECT_TRUE(sampler.on_end(make_record({.id = 3, .parent = 1, .trace = 2})).released.empty());
    // A second run in a trace that was kept belongs to it.
    EXPECT_EQ(
        run(sampler, {.id = 11, .trace = 1}, {.id = 12, .parent = 11, .trace = 1}).released.size(),
        2U
    );
    expect_balanced(sampler);
}

TEST(RunSampler, WaitsForTheLastOfSeveralRootsInOneTrace) {
    RunSampler sampler(only_interesting());
    sampler.on_root_start(test_trace_id(1));
    sampler.on_root_start(test_trace_id(1));
    EXPECT_TRUE(sampler.on_end(make_record({.id = 1})).judgement.empty());
    EXPECT_EQ(sampler.counts().undecided, 1U);
    EXPECT_EQ(sampler.on_end(make_record({.id = 2, .error = "no"})).released.size(), 2U);
}

TEST(RunSampler, JudgesTheLargestRunEarlyWhenTooManySpansWait) {
    auto config = only_interesting();
    config.buffer_spans_max = 10;
    RunSampler sampler(config);
    sampler.on_root_start(test_trace_id(1));
    for (std::uint8_t i = 10; i < 21; ++i) {
        EXPECT_TRUE(sampler.on_end(make_record({.id = i, .parent = 1})).released.empty());
    }
    EXPECT_EQ(sampler.counts().sampled_early, 11U);
    // It fails after all: what ends from now on is kept, up to its root.
    EXPECT_TRUE(sampler.on_end(make_record({.id = 30, .parent = 1, .error = "no"})).released.empty()
    );
    const auto outcome = sampler.on_end(make_record({.id = 1}));
    EXPECT_EQ(outcome.judgement, "kept: failed");
    EXPECT_EQ(outcome.released.size(), 2U);
    expect_balanced(sampler);

    // One of interest goes on as a whole, only sooner.
    sampler.on_root_start(test_trace_id(2));
    std::size_t released = 0;
    for (std::uint8_t i = 10; i < 21; ++i) {
        const TestSpan span{.id = i, .parent = 1, .error = i == 10 ? "no" : "", .trace = 2};
        released += sampler.on_end(make_record(span)).released.size();
    }
    EXPECT_EQ(released, 11U);
}

TEST(RunSampler, JudgesWhatIsLeftAtTheEndOfTheProcess) {
    RunSampler sampler(only_interesting());
    sampler.on_root_start(test_trace_id(1));
    sampler.on_root_start(test_trace_id(2));
    static_cast<void>(sampler.on_end(make_record({.id = 2, .parent = 1, .error = "no"})));
    static_cast<void>(sampler.on_end(make_record({.id = 2, .parent = 1, .trace = 2})));
    EXPECT_EQ(sampler.counts().undecided, 2U);
    EXPECT_EQ(sampler.finish().size(), 1U);
    EXPECT_EQ(sampler.counts().undecided, 0U);
    expect_balanced(sampler);
}

TEST(RunSampler, ManyRunsOnSeveralThreadsAreEachWholeOrGone) {
    RunSampler sampler(only_interesting());
    constexpr int kThreads = 4;
    constexpr int kRunsEach = 60;
    constexpr std::uint8_t kChildren = 8;
    std::atomic<int> mistakes{0};
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&sampler, &mistakes, thread] {
            for (int i = 0; i < kRunsEach; ++i) {
                const auto trace = static_cast<std::uint8_t>(1 + thread * kRunsEach + i);
                const bool is_failed = i % 3 == 0;
                sampler.on_root_start(test_trace_id(trace));
                std::size_t released = 0;
                for (std::uint8_t child = 0; child < kChildren; ++child) {
                    const auto id = static_cast<std::uint8_t>(2 + child);
                    TestSpan span{.id = id, .parent = 1, .trace = trace};
                    span.error = is_failed && child == 5 ? "no" : "";
                    released += sampler.on_end(make_record(span)).released.size();
                }
                released += sampler.on_end(make_record({.id = 1, .trace = trace})).released.size();
                mistakes += released == (is_failed ? kChildren + 1U : 0U) ? 0 : 1;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(mistakes, 0);
    const auto counts = sampler.counts();
    EXPECT_EQ(counts.offered, static_cast<std::uint64_t>(kThreads * kRunsEach * (kChildren + 1)));
    EXPECT_EQ(counts.released, counts.offered / 3);
    EXPECT_EQ(counts.undecided, 0U);
    expect_balanced(sampler);
}

}  // namespace
}  // namespace flowspan::exporting
