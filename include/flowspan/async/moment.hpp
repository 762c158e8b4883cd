#pragma once
// One reading of the clock for all that a loop handles in one go.

#include "flowspan/base/clock.hpp"

namespace flowspan::async {

/// What comes in during one wake-up of a loop has come by its start. Whoever handles a wake-up may
/// say so while it does; it must not wait meanwhile. With thousands of streams a clock reading for
/// each piece is dearer than what it tells.
class MomentScope {
public:
    explicit MomentScope(SteadyTime now) noexcept;
    ~MomentScope();
    MomentScope(const MomentScope&) = delete;
    MomentScope& operator=(const MomentScope&) = delete;

private:
    SteadyTime previous_;
};

/// The time of the wake-up that is being handled on this thread, or else the clock's.
[[nodiscard]] SteadyTime moment() noexcept;

}  // namespace flowspan::async
