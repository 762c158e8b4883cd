#pragma once
// How long a task waited, and for what: written by whoever makes it wait, read by observers.

#include "flowspan/async/task_context.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace flowspan::async {

enum class WaitKind : std::uint8_t {
    worker,      ///< for a thread of a pool, or a process of the sandbox
    rate_limit,  ///< because the other side asked for a pause
    retry,       ///< between a failure of the other side and the next attempt
    provider,    ///< from the end of a request to the first byte of its reply
};

/// Sums by kind. Any thread may add; a task and the children it starts share one.
class WaitLedger {
public:
    void add(WaitKind kind, std::chrono::nanoseconds duration) noexcept {
        sums_[static_cast<std::size_t>(kind)].fetch_add(
            duration.count(), std::memory_order_relaxed
        );
    }

    [[nodiscard]] std::chrono::nanoseconds sum(WaitKind kind) const noexcept {
        return std::chrono::nanoseconds(
            sums_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed)
        );
    }

private:
    std::array<std::atomic<std::int64_t>, 4> sums_{};
};

/// The ledger of the running task, or null. Keep the pointer only while the task runs.
[[nodiscard]] inline WaitLedger* current_waits() noexcept {
    const auto* task = current_task();
    return task == nullptr ? nullptr : task->waits().get();
}

/// Writes into the running task's ledger if it has one.
inline void add_wait(WaitKind kind, std::chrono::nanoseconds duration) noexcept {
    if (auto* waits = current_waits(); waits != nullptr && duration.count() > 0) {
        waits->add(kind, duration);
    }
}

}  // namespace flowspan::async
