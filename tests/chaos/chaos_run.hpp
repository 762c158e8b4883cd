#pragma once
// The mix of runs: starts them all at once on a few loops, cancels some, and gathers what came of
// it.

#include "flowspan/export/pipeline_counts.hpp"
#include "observe/observability_layer.hpp"
#include "tests/chaos/disorder_layer.hpp"
#include "tests/chaos/span_checks.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace flowspan::chaos {

struct ChaosOptions {
    std::uint64_t seed = 20261122;
    std::int64_t runs = 2000;  ///< at once
    std::size_t loops = 4;
    int stopped_percent = 10;  ///< by a command, after some events
    int left_percent = 10;     ///< whoever waits for the answer goes away
    int paused_percent = 25;   ///< by up to three commands; also of those that are stopped or left
    bool has_disorder = true;
};

struct ChaosOutcome {
    std::int64_t succeeded = 0;
    std::int64_t partial = 0;
    std::int64_t failed = 0;
    std::int64_t stopped = 0;
    std::int64_t left = 0;
    std::int64_t refused = 0;
    std::int64_t pauses = 0;  ///< by a command or by a form
    std::int64_t resumptions = 0;
    SpanReport spans;
    exporting::PipelineCounts books;
    observe::LayerCounts anomalies;
    std::int64_t lost_results = 0;
    std::int64_t late_results = 0;
    std::int64_t repeated_results = 0;
    std::int64_t doubled_starts = 0;
    std::int64_t doubled_ends = 0;
    std::chrono::nanoseconds elapsed{0};
};

[[nodiscard]] ChaosOutcome run_chaos(const ChaosOptions& options);

/// One line for people.
[[nodiscard]] std::string describe(const ChaosOptions& options, const ChaosOutcome& outcome);

}  // namespace flowspan::chaos
