#include "infra/sandbox/detail/worker_pool.hpp"

#include "flowspan/base/text.hpp"

#include <string_view>
#include <utility>

namespace flowspan::infra::sandbox {

namespace {

Error set_up_error(const SandboxConfig& config, std::string_view complaint) {
    return {
        ErrorCode::unsupported,
        "the sandbox could not be set up; it needs " + config.python +
            " and user namespaces (sysctl kernel.unprivileged_userns_clone=1, and in a container "
            "a seccomp profile that allows unshare and mount): " +
            to_valid_utf8(trim(complaint))
    };
}

}  // namespace

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
    for (const bool is_fresh : {false, true}) {
        if (!zygote_) {
            FLOWSPAN_TRY(zygote_, Zygote::start(config_, ++generation_));
        }
        FLOWSPAN_TRY(auto worker, zygote_->order_worker(kind));
        if (worker) {
            return *std::move(worker);
        }
        const auto complaint = zygote_->read_complaint();
        python_spares_.clear();
        node_spares_.clear();
        zygote_.reset();
        if (is_fresh) {
            return failure(set_up_error(config_, complaint));
        }
    }
    std::unreachable();
}

void WorkerPool::refill(WorkerKind kind) {
    const auto wanted = kind == WorkerKind::python ? config_.python_spares : config_.node_spares;
    const std::scoped_lock lock(mutex_);
    while (zygote_ && spares(kind).size() < wanted) {
        auto worker = zygote_->order_worker(kind);
        if (!worker || !*worker) {
            // The next call finds out why.
            return;
        }
        spares(kind).push_back(**std::move(worker));
    }
}

Error WorkerPool::retire(std::uint64_t generation) {
    std::unique_ptr<Zygote> dead;
    std::deque<IdleWorker> python_orphans;
    std::deque<IdleWorker> node_orphans;
    {
        const std::scoped_lock lock(mutex_);
        if (zygote_ && zygote_->generation() == generation) {
            dead = std::move(zygote_);
            python_orphans.swap(python_spares_);
            node_orphans.swap(node_spares_);
        }
    }
    return set_up_error(config_, dead ? dead->read_complaint() : std::string());
}

}  // namespace flowspan::infra::sandbox
