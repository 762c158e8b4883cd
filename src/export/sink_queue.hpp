#pragma once
// SinkQueue: one sink's bounded queue and worker, so that a slow sink holds up no other.

#include "export/span_sink.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/export/pipeline_counts.hpp"

#include <cstdint>
#include <memory>
#include <thread>

namespace flowspan::exporting {

/// A full queue drops the newest span. Destroying it without `close` gives the sink no more time.
class SinkQueue {
public:
    SinkQueue(std::shared_ptr<SpanSink> sink, const BatchConfig& config);
    ~SinkQueue();
    SinkQueue(const SinkQueue&) = delete;
    SinkQueue& operator=(const SinkQueue&) = delete;

    /// Never waits for the sink.
    void push(const SpanRecordPtr& span);

    /// A span started that the sink wants to see.
    void wake();

    [[nodiscard]] SpanSink& sink() noexcept;

    /// No span that waits or is being sent has a smaller sequence; the largest number if there is
    /// none.
    [[nodiscard]] std::uint64_t first_unsettled() const;

    struct FlushTicket {
        std::uint64_t position = 0;
        std::uint64_t lost_before = 0;
    };

    /// Asks the worker to hurry; the result goes to `wait_flushed`.
    [[nodiscard]] FlushTicket begin_flush();
    /// True if all spans up to the ticket left the queue and none was lost meanwhile.
    bool wait_flushed(const FlushTicket& ticket, SteadyTime deadline);

    /// Waits until the sink has been given, or polled for, all that happened before the call.
    bool wait_round(SteadyTime deadline);

    /// No more spans are taken; the worker sends what waits and ends.
    void begin_close(SteadyTime deadline);
    /// Returns by `deadline`. A sink that does not return in time is left to its thread, which then
    /// owns all it touches; what it held is counted as lost.
    void wait_closed(SteadyTime deadline);

    [[nodiscard]] SinkCounts counts() const;

private:
    struct State;
    class Worker;
    std::shared_ptr<State> state_;  // owners: this and the worker's thread
    std::thread thread_;
};

}  // namespace flowspan::exporting
