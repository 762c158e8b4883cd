#include "export/pending_spans.hpp"

#include "export/stored_span.hpp"
#include "flowspan/trace/names.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <limits>
#include <optional>

namespace flowspan::exporting {

namespace {

namespace names = trace::names;

constexpr std::size_t kWaitingMax = 65536;

opentelemetry::trace::SpanId make_span_id(Random& random) {
    const std::uint64_t bits = random.next() | 1U;  // an all-zero id is invalid
    std::array<std::uint8_t, sizeof(bits)> bytes{};
    std::memcpy(bytes.data(), &bits, sizeof(bits));
    return opentelemetry::trace::SpanId(
        opentelemetry::nostd::span<const std::uint8_t, sizeof(bits)>(bytes.data(), bytes.size())
    );
}

}  // namespace

SpanRecordPtr make_pending_record(const SpanRecord& open, Random& random) {
    auto pending = std::make_shared<SpanRecord>(open);
    pending->parent_span_id = open.span_id;
    pending->span_id = make_span_id(random);
    pending->is_parent_remote = false;
    pending->is_open = false;
    pending->duration_ns = 0;
    SpanLimits marks;
    marks.attributes_max = std::numeric_limits<std::size_t>::max();
    pending->set_attribute(names::kFlowspanPending, true, marks);
    if (const auto parent = to_hex(open.parent_span_id); !parent.empty()) {
        pending->set_attribute(names::kFlowspanPendingParentId, std::string_view(parent), marks);
    }
    return pending;
}

PendingSpans::PendingSpans(std::chrono::milliseconds delay, Announce announce)
    : delay_(delay), announce_(std::move(announce)) {
    // Signals belong to the threads of the program.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "fs-pending");
}

PendingSpans::~PendingSpans() {
    stop();
}

void PendingSpans::stop() {
    if (!thread_.joinable()) {
        return;
    }
    {
        const std::scoped_lock lock(mutex_);
        is_stopped_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void PendingSpans::on_start(const LiveSpanPtr& span) {
    const auto due = real_clock().steady_now() + delay_;
    const std::scoped_lock lock(mutex_);
    if (started_.size() >= kWaitingMax) {
        return;
    }
    started_.emplace_back(due, span);
    if (started_.size() == 1) {
        wake_.notify_one();
    }
}

void PendingSpans::run() {
    std::unique_lock lock(mutex_);
    while (!is_stopped_) {
        if (started_.empty()) {
            wake_.wait(lock);
            continue;
        }
        const auto due = started_.front().first;
        if (real_clock().steady_now() < due) {
            wake_.wait_until(lock, due);
            continue;
        }
        // Several threads start spans, so the order is not exact; who is late comes next time.
        const auto split =
            std::ranges::find_if(started_, [now = real_clock().steady_now()](const auto& entry) {
                return entry.first > now;
            });
        const std::vector<std::pair<SteadyTime, std::weak_ptr<const LiveSpan>>> ripe(
            started_.begin(), split
        );
        started_.erase(started_.begin(), split);
        lock.unlock();
        for (const auto& [time, weak] : ripe) {
            const auto live = weak.lock();
            const auto snapshot = live == nullptr ? std::nullopt : live->snapshot();
            if (snapshot && snapshot->is_sampled()) {
                announce_(make_pending_record(*snapshot, real_random()));
            }
        }
        lock.lock();
    }
}

}  // namespace flowspan::exporting
