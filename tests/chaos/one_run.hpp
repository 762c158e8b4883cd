#pragma once
// One run of the mix and what happens to it: stopped, left, or paused and resumed.

#include "tests/chaos/chaos_program.hpp"
#include "tests/chaos/chaos_run.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace flowspan::chaos {

/// How runs ended.
struct Tally {
    std::atomic<std::int64_t> succeeded{0};
    std::atomic<std::int64_t> partial{0};
    std::atomic<std::int64_t> failed{0};
    std::atomic<std::int64_t> stopped{0};
    std::atomic<std::int64_t> left{0};
    std::atomic<std::int64_t> refused{0};
    std::atomic<std::int64_t> pauses{0};
    std::atomic<std::int64_t> resumptions{0};

    void add(const Result<service::GenerateResult>& result);
};

struct Chaos {
    const ChaosOptions& options;
    ChaosProgram& program;
    std::vector<std::shared_ptr<const service::LoadedApp>> apps;
    Tally tally;
};

/// Draws an app and a fate from the seed and `number`, and runs until the run has ended for good.
[[nodiscard]] Task<void> run_one(Chaos* chaos, std::int64_t number);

}  // namespace flowspan::chaos
