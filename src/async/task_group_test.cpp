#include "flowspan/async/task_group.hpp"

#include "flowspan/async/runtime.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace flowspan::async {
namespace {

using namespace std::chrono_literals;

Task<void> append_after_yields(std::vector<std::string>& log, std::string name, int yields) {
    for (int i = 0; i < yields; ++i) {
        co_await yield_now();
    }
    log.push_back(std::move(name));
}

Task<void> fail_after_yield() {
    co_await yield_now();
    throw std::runtime_error("broken");
}

Task<void> wait_for_ever(bool& was_cancelled) {
    try {
        co_await sleep(1h);
    } catch (const std::exception& error) {
        was_cancelled = is_cancelled(error);
        throw;
    }
}

TEST(TaskGroup, JoinsAllChildren) {
    Runtime runtime;
    std::vector<std::string> log;
    runtime.block_on(
        [](std::vector<std::string>* out) -> Task<void> {
            TaskGroup group(co_await this_executor());
            group.spawn(append_after_yields, std::ref(*out), std::string("slow"), 5);
            group.spawn(append_after_yields, std::ref(*out), std::string("quick"), 1);
            EXPECT_EQ(group.size(), 2U);
            EXPECT_TRUE(out->empty()) << "children start after the caller gave up the thread";
            co_await group.join();
        },
        &log
    );
    EXPECT_EQ(log, (std::vector<std::string>{"quick", "slow"}));
}

TEST(TaskGroup, FirstFailureCancelsTheSiblingsAndIsRethrown) {
    Runtime runtime;
    bool was_cancelled = false;
    const auto run = [](bool* cancelled) -> Task<void> {
        TaskGroup group(co_await this_executor());
        group.spawn(wait_for_ever, std::ref(*cancelled));
        group.spawn(fail_after_yield);
        co_await group.join();
    };
    EXPECT_THROW(runtime.block_on(run, &was_cancelled), std::runtime_error);
    EXPECT_TRUE(was_cancelled);
}

TEST(TaskGroup, ChildCancelledBeforeItsStartNeverRunsItsBody) {
    Runtime runtime;
    std::vector<std::string> log;
    runtime.block_on(
        [](std::vector<std::string>* out) -> Task<void> {
            TaskGroup group(co_await this_executor());
            group.spawn(append_after_yields, std::ref(*out), std::string("never"), 0);
            group.cancel();
            co_await group.join();
        },
        &log
    );
    EXPECT_TRUE(log.empty());
}

TEST(TaskGroup, CancellingTheJoinerCancelsAndAwaitsTheChildren) {
    auto runtime = std::make_unique<Runtime>();
    bool inner_cancelled = false;
    const auto outer = [](bool* cancelled) -> Task<void> {
        TaskGroup group(co_await this_executor());
        group.spawn(
            [](bool* flag) -> Task<void> {
                TaskGroup inner(co_await this_executor());
                inner.spawn(wait_for_ever, std::ref(*flag));
                co_await inner.join();
            },
            cancelled
        );
        // Enough turns for the innermost task to reach its wait, however slow the machine is.
        for (int turn = 0; turn < 20; ++turn) {
            co_await yield_now();
        }
        group.cancel();
        co_await group.join();
    };
    runtime->block_on(outer, &inner_cancelled);
    EXPECT_TRUE(inner_cancelled);
    runtime.reset();
    EXPECT_EQ(TaskContext::live_count(), 0);
}

// Cancelled at a wait between spawn() and join(): the children must be gone before the group is.
Task<void> join_after_cancellation(bool& was_cancelled) {
    TaskGroup inner(co_await this_executor());
    inner.spawn(wait_for_ever, std::ref(was_cancelled));
    std::exception_ptr failure;
    try {
        co_await sleep(1h);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await even_if_cancelled;
    co_await inner.join();
    ADD_FAILURE() << "the join of a cancelled task must throw";
    std::rethrow_exception(failure);
}

TEST(TaskGroup, CancelledTaskCanStillJoin) {
    Runtime runtime;
    bool inner_cancelled = false;
    runtime.block_on(
        [](bool* cancelled) -> Task<void> {
            TaskGroup group(co_await this_executor());
            group.spawn(join_after_cancellation, std::ref(*cancelled));
            for (int i = 0; i < 5; ++i) {
                co_await yield_now();
            }
            group.cancel();
            co_await group.join();
        },
        &inner_cancelled
    );
    EXPECT_TRUE(inner_cancelled);
}

TEST(TaskGroup, EvenIfCancelledChangesNothingForATaskThatIsNot) {
    Runtime runtime;
    bool child_cancelled = false;
    runtime.block_on(
        [](bool* cancelled) -> Task<void> {
            TaskGroup group(co_await this_executor());
            group.spawn(wait_for_ever, std::ref(*cancelled));
            co_await yield_now();
            co_await yield_now();
            group.cancel();
            co_await even_if_cancelled;
            co_await group.join();
            co_await yield_now();
        },
        &child_cancelled
    );
    EXPECT_TRUE(child_cancelled);
}

}  // namespace
}  // namespace flowspan::async
