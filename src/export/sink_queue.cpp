#include "export/sink_queue.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

namespace flowspan::exporting {

namespace {

using std::chrono::milliseconds;

// At its end a program should not wait long for a receiver that is down.
constexpr std::size_t kClosingAttempts = 2;
constexpr milliseconds kClosingRetryDelay{100};
// How long before the deadline a running export is cancelled, so that it can say why it failed.
constexpr milliseconds kCancelGrace{100};
constexpr std::chrono::seconds kWarningInterval{60};

constexpr auto kNoSequence = std::numeric_limits<std::uint64_t>::max();
// A longer load's memory is given back: it came in a burst.
constexpr std::size_t kLoadsKept = 16;

SteadyTime now() noexcept {
    return real_clock().steady_now();
}

}  // namespace

struct SinkQueue::State {
    State(std::shared_ptr<SpanSink> destination, const BatchConfig& limits)
        : sink(std::move(destination)), config(limits) {
        counts.name = sink->name();
        if (const auto delay = sink->batch_delay(); delay.count() > 0) {
            config.schedule_delay = delay;
        }
    }

    const std::shared_ptr<SpanSink> sink;
    BatchConfig config;  // constant

    mutable std::mutex mutex;  // guards all below
    std::condition_variable wake;
    std::condition_variable settled;
    std::vector<SpanRecordPtr> pending;
    std::size_t pending_bytes = 0;
    // counts.queued and queued_bytes include what is in the worker's hands.
    SinkCounts counts;
    // Spans ever queued, and of those how many left the queue again; FIFO, so they tell positions.
    std::uint64_t accepted = 0;
    std::uint64_t processed = 0;
    std::uint64_t flush_target = 0;
    // Loads and polls that the worker took up, and of those how many it is done with.
    std::uint64_t rounds_begun = 0;
    std::uint64_t rounds_done = 0;
    SteadyTime close_deadline;
    // The smallest sequences of all spans that are not settled, and of those that are pending.
    std::uint64_t first_unsettled = kNoSequence;
    std::uint64_t first_pending = kNoSequence;
    bool is_hurried = false;
    bool is_woken = false;
    bool is_closing = false;
    bool is_abandoned = false;
    bool is_done = false;
};

class SinkQueue::Worker {
public:
    explicit Worker(std::shared_ptr<State> state) : state_(std::move(state)) {}

    void run() {
        state_->sink->begin_work();
        load_.reserve(state_->config.batch_spans_max);
        while (take_load()) {
            if (load_.empty()) {
                poll();
            } else {
                deliver();
            }
            const std::scoped_lock lock(state_->mutex);
            state_->rounds_done = state_->rounds_begun;
            state_->settled.notify_all();
        }
        if (const auto closed = state_->sink->close(); !closed) {
            spdlog::warn(
                "trace may be incomplete: {}: {}", state_->sink->name(), closed.error().describe()
            );
        }
        const std::scoped_lock lock(state_->mutex);
        state_->is_done = true;
        state_->settled.notify_all();
    }

private:
    struct Outcome {
        std::size_t spans = 0;
        std::size_t bytes = 0;       // as queued
        std::size_t sent_bytes = 0;  // as prepared, which may be more
        std::uint64_t rejected = 0;
        std::size_t arrived = 0;  // of those that are not delivered
        bool is_delivered = false;
    };

    // False when the queue is closed and drained; an empty load when the sink is to be polled.
    bool take_load() {
        empty_load();
        const auto poll_delay = state_->sink->poll_delay();
        std::unique_lock lock(state_->mutex);
        auto& state = *state_;
        const auto has_work = [&state] {
            return !state.pending.empty() || state.is_woken || state.is_closing ||
                   state.is_abandoned;
        };
        if (poll_delay.count() > 0) {
            state.wake.wait_for(lock, poll_delay, has_work);
        } else {
            state.wake.wait(lock, has_work);
        }
        if (!state.pending.empty() || state.is_woken) {
            state.wake.wait_for(lock, state.config.schedule_delay, [&state] {
                return state.is_hurried || state.is_closing || state.flush_target > state.processed;
            });
        }
        state.is_hurried = false;
        state.is_woken = false;
        state.pending_bytes = 0;
        if (state.is_abandoned || (state.is_closing && state.pending.empty())) {
            return false;
        }
        ++state.rounds_begun;
        // Both vectors keep their memory, so that whoever ends spans seldom waits for more of it.
        std::swap(state.pending, load_);
        state.first_pending = kNoSequence;
        return true;
    }

    void empty_load() {
        load_.clear();
        if (load_.capacity() > kLoadsKept * state_->config.batch_spans_max) {
            load_.shrink_to_fit();
        }
    }

    void poll() {
        auto polled = state_->sink->poll();
        if (!polled) {
            const std::scoped_lock lock(state_->mutex);
            ++state_->counts.failed_attempts;
            state_->counts.last_error = polled.error().describe();
        }
    }

    void deliver() {
        for (std::size_t first = 0; first < load_.size();) {
            Outcome outcome;
            while (first + outcome.spans < load_.size()) {
                auto& span = load_[first + outcome.spans];
                if (prepared_ == nullptr) {
                    prepared_ = state_->sink->prepare(span);
                }
                const auto size = prepared_->byte_size();
                const bool is_full = outcome.spans == state_->config.batch_spans_max ||
                                     outcome.sent_bytes + size > state_->config.batch_bytes_max;
                if (is_full && outcome.spans > 0) {
                    break;
                }
                outcome.bytes += span->byte_size();
                outcome.sent_bytes += size;
                ++outcome.spans;
                span = std::exchange(prepared_, nullptr);
            }
            const auto batch = std::span(load_).subspan(first, outcome.spans);
            if (!has_given_up_) {
                export_batch(batch, outcome);
            }
            first += outcome.spans;
            std::ranges::fill(batch, nullptr);
            settle(outcome);
        }
        // The load is settled, so all that is not waits.
        const std::scoped_lock lock(state_->mutex);
        state_->first_unsettled = state_->first_pending;
    }

    void export_batch(SpanBatch batch, Outcome& outcome) {
        std::size_t closing_attempts = 0;
        for (std::size_t attempt = 1;; ++attempt) {
            auto receipt = state_->sink->export_spans(batch);
            if (receipt) {
                outcome.is_delivered = true;
                outcome.rejected = std::min<std::uint64_t>(receipt->rejected, batch.size());
                if (!receipt->reason.empty()) {
                    const std::scoped_lock lock(state_->mutex);
                    state_->counts.last_error = std::move(receipt->reason);
                }
                return;
            }
            if (!wait_to_retry(receipt.error(), attempt, closing_attempts)) {
                outcome.arrived = std::min(state_->sink->arrived_of_failed(), batch.size());
                return;
            }
        }
    }

    // False: the batch is lost.
    bool wait_to_retry(const Error& error, std::size_t attempt, std::size_t& closing_attempts) {
        std::unique_lock lock(state_->mutex);
        auto& state = *state_;
        ++state.counts.failed_attempts;
        state.counts.last_error = error.describe();
        const bool was_closing = state.is_closing;
        auto delay = retry_delay(attempt);
        if (was_closing) {
            ++closing_attempts;
            delay = std::min(delay, kClosingRetryDelay);
        }
        const bool is_last = was_closing ? closing_attempts >= kClosingAttempts ||
                                               now() + delay >= state.close_deadline
                                         : attempt >= state.config.attempts_max;
        if (is_last || !is_retryable(error.code) || state.is_abandoned) {
            // The other batches would fare no better, and the program waits.
            has_given_up_ = was_closing && is_retryable(error.code);
            warn_while_running(was_closing);
            return false;
        }
        state.wake.wait_for(lock, delay, [&state, was_closing] {
            return state.is_abandoned || state.is_closing != was_closing;
        });
        return !state.is_abandoned;
    }

    // Doubling, with half of it random so that many senders do not return in step.
    [[nodiscard]] milliseconds retry_delay(std::size_t attempt) const {
        const auto& config = state_->config;
        const auto steps = std::min<std::size_t>(attempt - 1, 20);
        const auto full =
            std::min(config.retry_delay_max, config.retry_delay_first * (1U << steps));
        const auto half = full.count() / 2;
        const auto jitter = static_cast<std::int64_t>(
            half == 0 ? 0 : real_random().next() % static_cast<std::uint64_t>(half)
        );
        const auto asked = std::min(state_->sink->retry_after(), milliseconds(60'000));
        return std::max(milliseconds(full.count() - jitter), asked);
    }

    // While closing, the shutdown report tells it.
    void warn_while_running(bool is_closing) {
        if (is_closing || (warned_at_ != SteadyTime{} && now() - warned_at_ < kWarningInterval)) {
            return;
        }
        warned_at_ = now();
        spdlog::warn(
            "traces are being lost: {}: {}", state_->counts.name, state_->counts.last_error
        );
    }

    void settle(const Outcome& outcome) {
        const std::scoped_lock lock(state_->mutex);
        auto& counts = state_->counts;
        if (state_->is_abandoned) {
            return;
        }
        state_->processed += outcome.spans;
        counts.queued -= outcome.spans;
        counts.queued_bytes -= outcome.bytes;
        if (outcome.is_delivered) {
            counts.exported += outcome.spans - outcome.rejected;
            counts.dropped.rejected += outcome.rejected;
        } else {
            counts.exported += outcome.arrived;
            counts.dropped.export_failed += outcome.spans - outcome.arrived;
        }
        state_->settled.notify_all();
    }

    std::shared_ptr<State> state_;
    std::vector<SpanRecordPtr> load_;
    SpanRecordPtr prepared_;  // of the span that comes next, if it was too large for the last batch
    bool has_given_up_ = false;
    SteadyTime warned_at_;
};

SinkQueue::SinkQueue(std::shared_ptr<SpanSink> sink, const BatchConfig& config)
    : state_(std::make_shared<State>(std::move(sink), config)) {
    // Signals belong to the threads of the program.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([state = state_] { Worker(state).run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "fs-export");
}

SinkQueue::~SinkQueue() {
    if (thread_.joinable()) {
        begin_close(now());
        wait_closed(now() + kCancelGrace);
    }
}

void SinkQueue::push(const SpanRecordPtr& span) {
    const auto bytes = span->byte_size();
    auto& state = *state_;
    std::unique_lock lock(state.mutex);
    auto& counts = state.counts;
    ++counts.offered;
    if (state.is_closing) {
        ++counts.dropped.shutdown;
        return;
    }
    if (counts.queued >= state.config.queue_spans_max) {
        ++counts.dropped.queue_full;
        return;
    }
    if (counts.queued_bytes + bytes > state.config.queue_bytes_max) {
        ++counts.dropped.queue_bytes;
        return;
    }
    const bool was_empty = state.pending.empty();
    state.pending.push_back(span);
    state.pending_bytes += bytes;
    ++state.accepted;
    state.first_unsettled = std::min(state.first_unsettled, span->sequence);
    state.first_pending = std::min(state.first_pending, span->sequence);
    ++counts.queued;
    counts.queued_bytes += bytes;
    const bool is_batch = state.pending.size() >= state.config.batch_spans_max ||
                          state.pending_bytes >= state.config.batch_bytes_max;
    const bool should_wake = was_empty || (is_batch && !state.is_hurried);
    state.is_hurried = state.is_hurried || is_batch;
    lock.unlock();
    if (should_wake) {
        state.wake.notify_one();
    }
}

void SinkQueue::wake() {
    {
        const std::scoped_lock lock(state_->mutex);
        if (std::exchange(state_->is_woken, true)) {
            return;
        }
    }
    state_->wake.notify_one();
}

SpanSink& SinkQueue::sink() noexcept {
    return *state_->sink;
}

std::uint64_t SinkQueue::first_unsettled() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->first_unsettled;
}

SinkQueue::FlushTicket SinkQueue::begin_flush() {
    const std::scoped_lock lock(state_->mutex);
    state_->flush_target = state_->accepted;
    state_->wake.notify_one();
    return {state_->accepted, state_->counts.dropped.total()};
}

bool SinkQueue::wait_flushed(const FlushTicket& ticket, SteadyTime deadline) {
    std::unique_lock lock(state_->mutex);
    const bool is_settled = state_->settled.wait_until(lock, deadline, [this, &ticket] {
        return state_->processed >= ticket.position || state_->is_abandoned;
    });
    return is_settled && state_->counts.dropped.total() == ticket.lost_before;
}

bool SinkQueue::wait_round(SteadyTime deadline) {
    auto& state = *state_;
    std::unique_lock lock(state.mutex);
    const auto wanted = state.rounds_begun + 1;
    state.is_woken = true;
    state.is_hurried = true;
    state.wake.notify_one();
    return state.settled.wait_until(lock, deadline, [&state, wanted] {
        return state.rounds_done >= wanted || state.is_abandoned || state.is_done;
    }) && state.rounds_done >= wanted;
}

void SinkQueue::begin_close(SteadyTime deadline) {
    const std::scoped_lock lock(state_->mutex);
    state_->is_closing = true;
    state_->close_deadline = deadline;
    state_->wake.notify_one();
}

void SinkQueue::wait_closed(SteadyTime deadline) {
    if (!thread_.joinable()) {
        return;
    }
    auto& state = *state_;
    std::unique_lock lock(state.mutex);
    const auto is_done = [&state] { return state.is_done; };
    const auto grace = std::min<SteadyTime::duration>(kCancelGrace, (deadline - now()) / 4);
    if (!state.settled.wait_until(lock, deadline - grace, is_done)) {
        lock.unlock();
        state.sink->cancel();
        lock.lock();
        state.settled.wait_until(lock, deadline, is_done);
    }
    if (state.is_done) {
        lock.unlock();
        thread_.join();
        return;
    }
    state.is_abandoned = true;
    state.counts.dropped.shutdown += std::exchange(state.counts.queued, 0);
    state.counts.queued_bytes = 0;
    state.pending.clear();
    state.first_pending = kNoSequence;
    lock.unlock();
    state.wake.notify_one();
    state.settled.notify_all();
    // The thread hangs inside the sink and cannot be joined; it co-owns all that it touches.
    thread_.detach();
}

SinkCounts SinkQueue::counts() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->counts;
}

}  // namespace flowspan::exporting
