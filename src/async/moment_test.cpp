#include "flowspan/async/moment.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace flowspan::async {
namespace {

TEST(Moment, IsTheClocksOutsideOfAWakeUp) {
    const auto before = real_clock().steady_now();
    const auto now = moment();
    EXPECT_GE(now, before);
    EXPECT_LE(now, real_clock().steady_now());
}

TEST(Moment, StandsStillWhileAWakeUpIsHandledOnItsThread) {
    const auto outer = real_clock().steady_now();
    const MomentScope scope(outer);
    EXPECT_EQ(moment(), outer);
    {
        const MomentScope inner(outer + std::chrono::seconds(1));
        EXPECT_EQ(moment(), outer + std::chrono::seconds(1));
    }
    EXPECT_EQ(moment(), outer);
    std::jthread([outer] { EXPECT_GT(moment(), outer); });
}

}  // namespace
}  // namespace flowspan::async
