#pragma once
// A worker in use: its descriptors on the loop of the task that uses it, and its process.

#include "flowspan/async/task.hpp"
#include "infra/sandbox/detail/zygote.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace flowspan::infra::sandbox {

using LoopExecutor = boost::asio::io_context::executor_type;
using DataSocket =
    boost::asio::basic_stream_socket<boost::asio::local::stream_protocol, LoopExecutor>;
using PipeReader = boost::asio::posix::basic_stream_descriptor<LoopExecutor>;

/// What a process has used so far.
struct Usage {
    std::size_t resident_bytes = 0;
    std::chrono::milliseconds processor_time{0};
    std::size_t threads = 0;
};

/// Belongs to one loop. Its destructor kills the process; the zygote reaps it.
class LiveWorker {
public:
    LiveWorker(const LoopExecutor& loop, IdleWorker worker);
    ~LiveWorker();
    LiveWorker(const LiveWorker&) = delete;
    LiveWorker& operator=(const LiveWorker&) = delete;

    /// Waits for the worker's first byte, which gives its process. False if it ended before.
    [[nodiscard]] Task<Result<bool>> wait_ready(std::chrono::milliseconds limit);

    /// Applies what the kernel can enforce; the rest is measured with usage().
    void limit(const Limits& limits, std::size_t file_bytes);

    /// Empty if the process has ended.
    [[nodiscard]] std::optional<Usage> usage();

    /// Idempotent; also right if the process has ended.
    void kill();

    /// How the process ended: `exit 1`, `signal 11`; empty if the whole sandbox is gone. Waits for
    /// the end.
    [[nodiscard]] Task<std::string> wait_end();

    [[nodiscard]] WorkerKind kind() const noexcept { return kind_; }

    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

    [[nodiscard]] DataSocket& data() noexcept { return data_; }

    [[nodiscard]] PipeReader& printed() noexcept { return printed_; }

private:
    enum class Hello { absent, received, ended };
    [[nodiscard]] Hello receive_hello();
    [[nodiscard]] Task<Result<bool>> wait_hello();

    WorkerKind kind_;
    std::uint64_t generation_;
    DataSocket data_;
    PipeReader printed_;
    PipeReader status_;
    pid_t pid_ = -1;
    UniqueFd pidfd_;
    /// /proc/<pid>/stat, kept open.
    UniqueFd stat_;
};

}  // namespace flowspan::infra::sandbox
