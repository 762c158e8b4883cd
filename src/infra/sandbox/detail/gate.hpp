#pragma once
// How many executions run at once, over all loops, and how many may wait for their turn.

#include "flowspan/async/task.hpp"

#include <boost/asio/any_completion_handler.hpp>

#include <cstddef>
#include <list>
#include <mutex>
#include <utility>

namespace flowspan::infra::sandbox {

/// First come, first served. Safe to use from any loop.
class Gate {
public:
    Gate(std::size_t running_max, std::size_t waiting_max)
        : free_(running_max), waiting_max_(waiting_max) {}

    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// Permission to run; given back on destruction.
    class Pass {
    public:
        explicit Pass(Gate& gate) noexcept : gate_(&gate) {}

        Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}

        Pass& operator=(Pass&&) = delete;

        ~Pass() {
            if (gate_ != nullptr) {
                gate_->leave();
            }
        }

    private:
        Gate* gate_;
    };

    /// Waits for a pass, at most until the task's deadline; `unavailable` if too many wait already.
    [[nodiscard]] Task<Result<Pass>> enter();

private:
    /// Lives in the frame of the waiting coroutine.
    struct Waiter {
        async::TaskExecutor executor;
        boost::asio::any_completion_handler<void()> resume;
        bool is_admitted = false;
    };

    /// True if a place was free and is taken now; false if there is room to wait.
    [[nodiscard]] Result<bool> try_enter();
    /// Several may find the same room to wait; the queue then grows by as many as there are loops.
    [[nodiscard]] Task<Result<Pass>> wait_for_pass();
    void enqueue(Waiter& waiter);
    void remove(Waiter& waiter);
    void leave();

    std::mutex mutex_;
    std::size_t free_;
    std::size_t waiting_max_;
    std::list<Waiter*> waiting_;
};

}  // namespace flowspan::infra::sandbox
