#include "export/export_worker.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <utility>

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
        stop(now() + kCancelGrace);
    }
}

void ExportWorker::hurry() {
    const std::scoped_lock lock(state_->mutex);
    state_->is_hurried = true;
    state_->wake.notify_one();
}

bool ExportWorker::flush(std::chrono::milliseconds budget) {
    std::unique_lock lock(state_->mutex);
    const auto target = ++state_->wanted;
    state_->has_lost = false;
    state_->wake.notify_one();
    const bool is_settled =
        state_->settled.wait_for(lock, budget, [&] { return state_->done >= target; });
    return is_settled && !state_->has_lost;
}

bool ExportWorker::stop(SteadyTime deadline) {
    if (!thread_.joinable()) {
        return true;
    }
    std::unique_lock lock(state_->mutex);
    state_->is_stopping = true;
    state_->has_lost = false;
    state_->wake.notify_one();
    const auto is_done = [this] { return state_->is_done; };
    if (!state_->settled.wait_until(lock, deadline - kCancelGrace, is_done)) {
        lock.unlock();
        state_->job.cancel();
        lock.lock();
        state_->settled.wait_until(lock, deadline, is_done);
    }
    const bool went_well = state_->is_done && !state_->has_lost;
    const bool can_join = state_->is_done;
    lock.unlock();
    if (can_join) {
        thread_.join();
    } else {
        // It hangs inside its export; the thread co-owns all that it touches.
        thread_.detach();
    }
    return went_well;
}

}  // namespace flowspan::exporting
