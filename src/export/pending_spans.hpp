#pragma once
// PendingSpans: tells receivers of spans that run for long, before they end.

#include "export/live_span.hpp"
#include "flowspan/base/clock.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace flowspan::exporting {

/// What a receiver gets of a span that still runs: a span of its own below it, with the same name
/// and start and no duration, marked `flowspan.pending`; the parent of the span that runs stands
/// beside the mark. A receiver that knows no pending records shows an empty child.
[[nodiscard]] SpanRecordPtr make_pending_record(const SpanRecord& open, Random& random);

/// Announces each span that has run for `delay`, once.
class PendingSpans final : public SpanObserver {
public:
    using Announce = std::function<void(const SpanRecordPtr& pending)>;

    /// `announce` is called on a thread of this object, until it is stopped.
    PendingSpans(std::chrono::milliseconds delay, Announce announce);
    ~PendingSpans() override;
    PendingSpans(const PendingSpans&) = delete;
    PendingSpans& operator=(const PendingSpans&) = delete;

    void on_start(const LiveSpanPtr& span) override;

    /// Nothing is announced afterwards.
    void stop();

private:
    void run();

    const std::chrono::milliseconds delay_;
    const Announce announce_;
    std::mutex mutex_;  // guards all below but the thread
    std::condition_variable wake_;
    // In order of their start; at most as many as spans start within the delay, and no more than a
    // limit: what does not fit is not announced.
    std::vector<std::pair<SteadyTime, std::weak_ptr<const LiveSpan>>> started_;
    bool is_stopped_ = false;
    std::thread thread_;
};

}  // namespace flowspan::exporting
