#include "flowspan/async/deadline.hpp"

#include "flowspan/async/runtime.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace flowspan::async {
namespace {

using namespace std::chrono_literals;

Task<Result<int>> answer_after(std::chrono::nanoseconds delay, int answer) {
    co_await sleep(delay);
    co_return answer;
}

TEST(Deadline, ExpiryIsATimeoutError) {
    Runtime runtime;
    const auto result = runtime.block_on([]() -> Task<Result<int>> {
        co_return co_await with_deadline(real_clock().steady_now() + 1ms, answer_after(1h, 1));
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::timeout);
}

TEST(Deadline, ResultInTimePassesThrough) {
    auto runtime = std::make_unique<Runtime>();
    const auto result = runtime->block_on([]() -> Task<Result<int>> {
        co_return co_await with_deadline(real_clock().steady_now() + 1h, answer_after(0ms, 42));
    });
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, 42);
    runtime.reset();
    EXPECT_EQ(TaskContext::live_count(), 0);
}

TEST(Deadline, OfTheTaskCutsASleepShort) {
    Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        current_task()->tighten_deadline(real_clock().steady_now() + 1ms);
        EXPECT_FALSE(co_await sleep(1h));
    });
}

Task<Result<int>> count_after_yields(int& count) {
    for (int i = 0; i < 5; ++i) {
        co_await yield_now();
    }
    co_return ++count;
}

struct ShieldLog {
    int cleaned = 0;
    bool has_started_cleaning = false;
    bool went_on = false;
};

Task<Result<int>> mark_and_count(ShieldLog& log) {
    log.has_started_cleaning = true;
    co_return co_await count_after_yields(log.cleaned);
}

Task<void> clean_up_after_cancellation(ShieldLog& log) {
    bool is_cleaning_due = false;
    try {
        co_await sleep(1h);
    } catch (const std::exception& error) {
        is_cleaning_due = is_cancelled(error);
    }
    EXPECT_TRUE(is_cleaning_due);
    co_await even_if_cancelled;
    static_cast<void>(co_await shielded(1h, mark_and_count(log)));
    log.went_on = true;
}

Task<void> clean_up_first(ShieldLog& log) {
    static_cast<void>(co_await shielded(1h, mark_and_count(log)));
    log.went_on = true;
}

template <class Body>
Task<void> cancel_once_waiting(Body body, ShieldLog* log, bool waits_for_cleaning) {
    TaskGroup group(co_await this_executor());
    group.spawn(body, std::ref(*log));
    for (int i = 0; i < 3 || (waits_for_cleaning && !log->has_started_cleaning); ++i) {
        co_await yield_now();
    }
    group.cancel();
    co_await group.join();
}

TEST(Shielded, CancelledTaskStillCleansUp) {
    Runtime runtime;
    ShieldLog log;
    runtime.block_on(
        cancel_once_waiting<decltype(&clean_up_after_cancellation)>,
        &clean_up_after_cancellation,
        &log,
        false
    );
    EXPECT_EQ(log.cleaned, 1);
    EXPECT_FALSE(log.went_on) << "the cancellation takes effect after the clean-up";
}

TEST(Shielded, CancellationDuringCleanUpIsNotLost) {
    Runtime runtime;
    ShieldLog log;
    runtime.block_on(cancel_once_waiting<decltype(&clean_up_first)>, &clean_up_first, &log, true);
    EXPECT_EQ(log.cleaned, 1);
    EXPECT_FALSE(log.went_on);
}

}  // namespace
}  // namespace flowspan::async
