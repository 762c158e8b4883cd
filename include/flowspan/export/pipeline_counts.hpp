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

    [[nodiscard]] std::uint64_t total() const noexcept {
        return queue_full + queue_bytes + export_failed + rejected + shutdown;
    }

    bool operator==(const DropCounts&) const = default;
};

/// Always: offered = exported + queued + dropped.total().
struct SinkCounts {
    std::string name;
    std::uint64_t offered = 0;
    std::uint64_t exported = 0;
    std::uint64_t queued = 0;
    std::uint64_t queued_bytes = 0;
    DropCounts dropped;
    std::uint64_t failed_attempts = 0;  ///< export calls that failed, retried ones included
    std::string last_error;
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
