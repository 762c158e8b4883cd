#include "export/export_worker.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace flowspan::exporting {

namespace {

// How long before the deadline a running export is cancelled, so that it can say why it failed.
constexpr std::chrono::milliseconds kCancelGrace{100};

SteadyTime now() noexcept {
    return real_clock().steady_now();
}

}  // namespace

struct ExportWorker::State {
    explicit State(Job the_job) : job(std::move(the_job)) {}

    void loop() {
        std::unique_lock lock(mutex);
        while (true) {
            wake.wait_for(lock, job.interval, [this] {
                return is_stopping || is_hurried || wanted > done;
            });
            const bool is_last = is_stopping;
            const auto run_number = wanted;
            is_hurried = false;
            lock.unlock();
            const bool went_well = job.run();
            lock.lock();
            has_lost = has_lost || !went_well;
            done = std::max(done, run_number);
            is_done = is_last;
            settled.notify_all();
            if (is_last) {
                return;
            }
        }
    }

    const Job job;
    std::mutex mutex;  // guards all below
    std::condition_variable wake;
    std::condition_variable settled;
    std::uint64_t wanted = 0;  ///< runs that flush() asked for
    std::uint64_t done = 0;
    bool is_hurried = false;
    bool is_stopping = false;
    bool is_done = false;
    bool has_lost = false;
};

ExportWorker::ExportWorker(Job job) : state_(std::make_shared<State>(std::move(job))) {
    // Signals belong to the threads of the program.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([state = state_] { state->loop(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), state_->job.thread_name.c_str());
}

ExportWorker::~ExportWorker() {
    if (thread_.joinable()) {
        auto* self = this;
        stop_all({&self, 1}, now() + kCancelGrace);
    }
}

void ExportWorker::hurry() {
    const std::scoped_lock lock(state_->mutex);
    state_->is_hurried = true;
    state_->wake.notify_one();
}

bool ExportWorker::flush_all(
    std::span<ExportWorker* const> workers, std::chrono::milliseconds budget
) {
    const auto deadline = now() + budget;
    std::vector<std::uint64_t> targets;
    targets.reserve(workers.size());
    for (auto* worker : workers) {
        auto& state = *worker->state_;
        const std::scoped_lock lock(state.mutex);
        targets.push_back(++state.wanted);
        state.has_lost = false;
        state.wake.notify_one();
    }
    bool is_all = true;
    for (std::size_t i = 0; i < workers.size(); ++i) {
        auto& state = *workers[i]->state_;
        std::unique_lock lock(state.mutex);
        const bool is_settled = state.settled.wait_until(
            lock, deadline, [&state, target = targets[i]] { return state.done >= target; }
        );
        is_all = is_all && is_settled && !state.has_lost;
    }
    return is_all;
}

void ExportWorker::stop_all(std::span<ExportWorker* const> workers, SteadyTime deadline) {
    for (auto* worker : workers) {
        worker->begin_stop();
    }
    for (auto* worker : workers) {
        worker->wait_done(deadline - kCancelGrace);
    }
    for (auto* worker : workers) {
        if (!worker->wait_done(now())) {
            worker->state_->job.cancel();
        }
    }
    for (auto* worker : workers) {
        worker->wait_done(deadline);
        worker->join_or_leave();
    }
}

void ExportWorker::begin_stop() {
    const std::scoped_lock lock(state_->mutex);
    if (!state_->is_stopping) {
        state_->is_stopping = true;
        state_->has_lost = false;
        state_->wake.notify_one();
    }
}

bool ExportWorker::wait_done(SteadyTime deadline) {
    std::unique_lock lock(state_->mutex);
    return state_->settled.wait_until(lock, deadline, [this] { return state_->is_done; });
}

void ExportWorker::join_or_leave() {
    if (!thread_.joinable()) {
        return;
    }
    if (wait_done(now())) {
        thread_.join();
    } else {
        // It hangs inside its export; the thread co-owns all that it touches.
        thread_.detach();
    }
}

bool ExportWorker::went_well() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->is_done && !state_->has_lost;
}

}  // namespace flowspan::exporting
