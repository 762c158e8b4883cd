#pragma once
// The books of the span pipeline: where every span that was started is now.

#include <cstdint>
#include <string>
#include <vector>

namespace flowspan::exporting {

/// Spans that did not reach one sink, by reason.
struct DropCounts {
    std::uint64_t queue_full = 0;     ///< too many spans were waiting
    std::uint64_t queue_bytes = 0;    ///< too many bytes were waiting
    std::uint64_t export_failed = 0;  ///< the sink failed, also after retries
    std::uint64_t rejected = 0;       ///< the receiver took the batch but not these
    std::uint64_t shutdown = 0;       ///< no time left, or ended after the shutdown
    std::uint64_t crash = 0;          ///< the process went away with them
    std::uint64_t sampled_out = 0;    ///< their run was of no interest
    /// Their run had to be judged before its end, because too many spans waited for a judgement.
    std::uint64_t sampled_early = 0;

    [[nodiscard]] std::uint64_t total() const noexcept {
        return queue_full + queue_bytes + export_failed + rejected + shutdown + crash +
               sampled_out + sampled_early;
    }

    /// Without what sampling left out on purpose.
    [[nodiscard]] std::uint64_t lost() const noexcept {
        return total() - sampled_out - sampled_early;
    }

    bool operator==(const DropCounts&) const = default;
};

/// Calls `function(name, count)` for each reason, in a fixed order.
template <class Drops, class Function>
void for_each_drop(Drops& drops, Function function) {
    function("queue_full", drops.queue_full);
    function("queue_bytes", drops.queue_bytes);
    function("export_failed", drops.export_failed);
    function("rejected", drops.rejected);
    function("shutdown", drops.shutdown);
    function("crash", drops.crash);
    function("sampled_out", drops.sampled_out);
    function("sampled_early", drops.sampled_early);
}

/// Always: offered + announced = exported + queued + undecided + dropped.total().
struct SinkCounts {
    std::string name;
    std::uint64_t offered = 0;
    std::uint64_t announced = 0;  ///< pending records, beside the spans themselves
    std::uint64_t exported = 0;
    std::uint64_t queued = 0;
    std::uint64_t queued_bytes = 0;
    std::uint64_t undecided = 0;  ///< their run is not over, so whether it is sampled is open
    DropCounts dropped;
    std::uint64_t failed_attempts = 0;  ///< export calls that failed, retried ones included
    std::string last_error;
    /// All spans whose place in the order of ends is not larger have left the queue.
    std::uint64_t settled_through = 0;
};

/// Always: started = ended() + open, and ended() = unsampled + what each sink was offered.
struct PipelineCounts {
    std::uint64_t started = 0;
    std::uint64_t open = 0;
    std::uint64_t unsampled = 0;  ///< recorded, but the sampler keeps them local
    std::vector<SinkCounts> sinks;

    [[nodiscard]] std::uint64_t ended() const noexcept { return started - open; }
};

}  // namespace flowspan::exporting
