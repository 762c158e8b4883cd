#pragma once
// The first process inside the sandbox, seen from outside: bubblewrap, and the orders it takes.

#include "infra/sandbox/detail/seccomp_filter.hpp"
#include "infra/sandbox/detail/unique_fd.hpp"
#include "infra/sandbox/sandbox.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace flowspan::infra::sandbox {

/// Our ends of a worker's descriptors, not yet used by any loop. Closing them ends an idle worker.
struct IdleWorker {
    WorkerKind kind = WorkerKind::python;
    /// Which zygote it came from.
    std::uint64_t generation = 0;
    UniqueFd data;
    UniqueFd printed;
    UniqueFd status;
};

/// One bubblewrap sandbox. Nothing in here waits except the destructor.
class Zygote {
public:
    /// Returns before the sandbox is up; what goes wrong later shows at its first worker.
    [[nodiscard]] static Result<std::unique_ptr<Zygote>> start(
        const SandboxConfig& config, std::uint64_t generation
    );

    /// Ends every process in the sandbox and waits until they are gone.
    ~Zygote();
    Zygote(const Zygote&) = delete;
    Zygote& operator=(const Zygote&) = delete;

    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

    /// Orders a worker; it may be written to at once. Nothing if the zygote has died.
    [[nodiscard]] Result<std::optional<IdleWorker>> order_worker(WorkerKind kind);

    /// What bubblewrap and the zygote wrote to standard error.
    [[nodiscard]] std::string read_complaint();

private:
    Zygote(int pid, UniqueFd control, UniqueFd complaints, std::uint64_t generation);

    int pid_;
    /// Becomes readable when bubblewrap has ended.
    UniqueFd pidfd_;
    UniqueFd control_;
    UniqueFd complaints_;
    std::uint64_t generation_;
};

}  // namespace flowspan::infra::sandbox
