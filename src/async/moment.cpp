#include "flowspan/async/moment.hpp"

#include <utility>

namespace flowspan::async {

namespace {

thread_local SteadyTime t_moment;  // its default: none

}  // namespace

MomentScope::MomentScope(SteadyTime now) noexcept : previous_(std::exchange(t_moment, now)) {}

MomentScope::~MomentScope() {
    t_moment = previous_;
}

SteadyTime moment() noexcept {
    return t_moment == SteadyTime() ? real_clock().steady_now() : t_moment;
}

}  // namespace flowspan::async
