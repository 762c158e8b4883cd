#pragma once
// Workers that are ready or on their way; the one place that starts and replaces the zygote.

#include "infra/sandbox/detail/zygote.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace flowspan::infra::sandbox {

/// Safe to use from any thread. Nothing waits for a worker: its descriptors may be used at once.
class WorkerPool {
public:
    explicit WorkerPool(const SandboxConfig& config) : config_(config) {}

    /// The spare that has waited longest, or a new one.
    [[nodiscard]] Result<IdleWorker> take(WorkerKind kind);

    /// Orders spares up to the configured number; does nothing if the zygote has died.
    void refill(WorkerKind kind);

    /// Puts away a zygote that was found dead, with its spares, unless it has been replaced
    /// already. Returns what to tell the user, with the zygote's last words.
    Error retire(std::uint64_t generation);

private:
    [[nodiscard]] Result<IdleWorker> order(WorkerKind kind);

    [[nodiscard]] std::deque<IdleWorker>& spares(WorkerKind kind) noexcept {
        return kind == WorkerKind::python ? python_spares_ : node_spares_;
    }

    const SandboxConfig& config_;
    std::mutex mutex_;
    std::uint64_t generation_ = 0;
    std::unique_ptr<Zygote> zygote_;
    std::deque<IdleWorker> python_spares_;
    std::deque<IdleWorker> node_spares_;
};

}  // namespace flowspan::infra::sandbox
