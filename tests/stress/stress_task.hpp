#pragma once
// The task of the stress test: nested spans over many suspensions of every sort, ended at random.

#include "flowspan/async/task.hpp"
#include "infra/http/http_client.hpp"
#include "tests/stress/lineage.hpp"

#include <cstdint>
#include <random>
#include <string>

namespace flowspan::stress {

struct StressOptions {
    std::int64_t tasks = 10'000;
    std::uint64_t seed = 0;
    int cancelled_percent = 50;
    /// Share of tasks that stream a reply of the loopback server.
    int transfer_percent = 20;
    bool should_use_pools = true;
};

/// What all tasks share. Constant while they run, but for the tally.
struct Stress {
    StressOptions options;
    http::HttpClient* client = nullptr;  ///< null: no transfers
    std::string server_url;
    Tally tally;
};

/// Random choices, repeatable from a seed; one per coroutine that may run beside others.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}

    /// 0 to `sides` - 1.
    [[nodiscard]] int roll(int sides) {
        return static_cast<int>(engine_() % static_cast<std::uint64_t>(sides));
    }

    [[nodiscard]] bool chance(int percent) { return roll(100) < percent; }

    [[nodiscard]] Dice fork() { return Dice(engine_()); }

private:
    std::mt19937_64 engine_;
};

/// Runs task number `id` in a trace of its own as a child of the calling task, and cancels it at a
/// random moment if the dice say so. Ends when everything of it has ended; throws only for faults.
[[nodiscard]] Task<void> run_stress_task(Stress& stress, std::int64_t id);

/// Runs the tasks `first`, `first + step`, ... at once and waits for all.
[[nodiscard]] Task<void> run_stress_tasks(Stress& stress, std::int64_t first, std::int64_t step);

}  // namespace flowspan::stress
