#pragma once
// One request in one worker: sends it, collects what comes back, and keeps watch meanwhile.

#include "flowspan/async/task_group.hpp"
#include "infra/sandbox/detail/live_worker.hpp"

#include <array>
#include <memory>
#include <string>

namespace flowspan::infra::sandbox {

/// Why an execution was stopped.
enum class Breach {
    none,
    wall_time,
    deadline,
    processor_time,
    memory,
    threads,
    printed,
    reply_size
};

/// What is left of an execution.
struct Outcome {
    /// See python_worker.py; empty if the worker ended without one.
    std::string reply;
    std::string printed;
    Breach breach = Breach::none;
    /// Without a reply: how the process ended, see LiveWorker::wait_end.
    std::string end;

    /// True if the whole sandbox went away before the reply.
    [[nodiscard]] bool is_lost() const noexcept {
        return reply.empty() && breach == Breach::none && end.empty();
    }
};

class Execution {
public:
    /// `worker` must outlive the execution.
    Execution(LiveWorker& worker, const Limits& limits);

    /// Once; `request` must outlive it. The worker is spent afterwards. Cancelling the task leaves
    /// the killing to the worker's owner.
    [[nodiscard]] Task<Outcome> run(const std::string& request);

private:
    Task<void> exchange(async::TaskGroup& group, const std::string& request);
    [[nodiscard]] Task<bool> read_exactly(char* target, std::size_t size);
    Task<void> collect_printed();
    Task<void> watch(SteadyTime wall_end, Breach wall_breach);
    /// Keeps what fits; too much is a breach.
    void keep_printed(std::size_t size);
    void collect_rest();
    void stop(Breach breach);

    LiveWorker& worker_;
    const Limits& limits_;
    Outcome outcome_;
    std::size_t printed_size_ = 0;
    std::unique_ptr<std::array<char, 65536>> print_buffer_;
};

}  // namespace flowspan::infra::sandbox
