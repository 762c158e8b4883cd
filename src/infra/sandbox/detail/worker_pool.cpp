#include "infra/sandbox/detail/worker_pool.hpp"

#include <utility>

namespace flowspan::infra::sandbox {

Result<IdleWorker> WorkerPool::take(WorkerKind kind) {
    const std::scoped_lock lock(mutex_);
    auto& waiting = spares(kind);
    if (!waiting.empty()) {
        IdleWorker worker = std::move(waiting.front());
        waiting.pop_front();
        return worker;
    }
    return order(kind);
}

Result<IdleWorker> WorkerPool::order(WorkerKind kind) {
    if (zygote_) {
        if (auto worker = zygote_->order_worker(kind)) {
            return worker;
        }
        python_spares_.clear();
        node_spares_.clear();
        zygote_.reset();
    }
    FLOWSPAN_TRY(zygote_, Zygote::start(config_, ++generation_));
    return zygote_->order_worker(kind);
}

void WorkerPool::refill(WorkerKind kind) {
    const auto wanted = kind == WorkerKind::python ? config_.python_spares : config_.node_spares;
    const std::scoped_lock lock(mutex_);
    while (zygote_ && spares(kind).size() < wanted) {
        auto worker = zygote_->order_worker(kind);
        if (!worker) {
            return;
        }
        spares(kind).push_back(*std::move(worker));
    }
}

std::string WorkerPool::retire(std::uint64_t generation) {
    std::unique_ptr<Zygote> dead;
    std::deque<IdleWorker> orphans;
    {
        const std::scoped_lock lock(mutex_);
        if (!zygote_ || zygote_->generation() != generation) {
            return {};
        }
        dead = std::move(zygote_);
        orphans = std::exchange(python_spares_, {});
        node_spares_.clear();
    }
    return dead->read_complaint();
}

}  // namespace flowspan::infra::sandbox
