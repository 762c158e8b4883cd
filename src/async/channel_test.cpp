#include "flowspan/async/channel.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"

#include <gtest/gtest.h>

namespace flowspan::async {
namespace {

Task<void> produce(Channel<int>& channel, int count) {
    for (int i = 0; i < count; ++i) {
        EXPECT_LE(channel.size(), 2U);
        EXPECT_TRUE(co_await channel.send(i));
    }
    channel.close();
}

TEST(Channel, DeliversInOrderAndMakesAFastSenderWait) {
    Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        const auto executor = co_await this_executor();
        Channel<int> channel(executor, 2);
        TaskGroup group(executor);
        group.spawn(produce, std::ref(channel), 100);
        int expected = 0;
        while (auto item = co_await channel.receive()) {
            EXPECT_EQ(*item, expected++);
        }
        EXPECT_EQ(expected, 100);
        co_await group.join();
    });
}

TEST(Channel, RefusesWhenFullOrClosed) {
    Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        Channel<int> channel(co_await this_executor(), 1);
        EXPECT_TRUE(channel.try_send(1));
        EXPECT_FALSE(channel.try_send(2));
        channel.close();
        EXPECT_FALSE(co_await channel.send(3));
        EXPECT_EQ(co_await channel.receive(), std::optional<int>(1));
        EXPECT_EQ(co_await channel.receive(), std::nullopt);
    });
}

}  // namespace
}  // namespace flowspan::async
