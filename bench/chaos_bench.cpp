#include "benches.hpp"
#include "tests/chaos/chaos_run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <utility>

namespace flowspan::bench {

namespace {

constexpr int kRuns = 2000;

/// Everything that should be none, from the tree and from the books.
double faults(const chaos::ChaosOutcome& outcome) {
    const auto unbooked = static_cast<std::int64_t>(outcome.books.started) -
                          static_cast<std::int64_t>(outcome.spans.spans);
    return static_cast<double>(
        outcome.spans.faults() + std::abs(unbooked) + static_cast<std::int64_t>(outcome.books.open)
    );
}

}  // namespace

std::vector<Measurement> measure_chaos(const Effort& effort) {
    raise_descriptor_limit();
    chaos::ChaosOptions options;
    options.runs = effort.pick(kRuns, 200);
    const auto title = fmt::format("{} mixed runs at once, disturbed", options.runs);
    Measurement speed{"chaos_run_us", title + ", a run", "us", {}, {}};
    Measurement spans{"chaos_spans", "the same, spans", "spans", {}, {}};
    Measurement wrong{
        "chaos_faults", "the same, spans lost, doubled, misplaced, unended", "spans", {}, 0
    };
    for (int i = 0; i < effort.pick(3, 1); ++i) {
        const auto outcome = chaos::run_chaos(options);
        const auto us = std::chrono::duration<double, std::micro>(outcome.elapsed).count();
        speed.runs.push_back(us / static_cast<double>(options.runs));
        spans.runs.push_back(static_cast<double>(outcome.spans.spans));
        wrong.runs.push_back(faults(outcome));
        ++options.seed;
    }
    return {std::move(speed), std::move(spans), std::move(wrong)};
}

}  // namespace flowspan::bench
