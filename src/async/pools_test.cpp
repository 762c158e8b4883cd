#include "flowspan/async/pools.hpp"

#include "flowspan/async/runtime.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace flowspan::async {
namespace {

TEST(Pools, RunElsewhereWithTheSameTaskCurrentAndComeBack) {
    Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        const auto loop_thread = std::this_thread::get_id();
        auto* const task = current_task();
        const auto seen =
            co_await on_cpu([] { return std::pair(std::this_thread::get_id(), current_task()); });
        EXPECT_NE(seen.first, loop_thread);
        EXPECT_EQ(seen.second, task);
        EXPECT_EQ(std::this_thread::get_id(), loop_thread);
        EXPECT_EQ(current_task(), task);
    });
}

TEST(Pools, RethrowWhatTheFunctionThrows) {
    Runtime runtime;
    const auto run = []() -> Task<void> {
        co_await on_blocking([] { throw std::runtime_error("disk on fire"); });
    };
    EXPECT_THROW(runtime.block_on(run), std::runtime_error);
}

}  // namespace
}  // namespace flowspan::async
