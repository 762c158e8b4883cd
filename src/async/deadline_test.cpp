#include "flowspan/async/deadline.hpp"

#include "flowspan/async/runtime.hpp"

#include <gtest/gtest.h>

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
    Runtime runtime;
    const auto result = runtime.block_on([]() -> Task<Result<int>> {
        co_return co_await with_deadline(real_clock().steady_now() + 1h, answer_after(0ms, 42));
    });
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, 42);
    EXPECT_EQ(TaskContext::live_count(), 0);
}

TEST(Deadline, OfTheTaskCutsASleepShort) {
    Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        current_task()->tighten_deadline(real_clock().steady_now() + 1ms);
        EXPECT_FALSE(co_await sleep(1h));
    });
}

}  // namespace
}  // namespace flowspan::async
