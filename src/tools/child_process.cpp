#include "tools/child_process.hpp"

#include "async/use_task.hpp"
#include "flowspan/async/deadline.hpp"
#include "flowspan/trace/propagation.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

namespace asio = boost::asio;

namespace flowspan::tools {

namespace {

using Pipe = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

constexpr std::size_t kErrorBytesMax = 4096;
constexpr std::size_t kReadBytes = 16384;

Error system_error(std::string_view what, int code) {
    return Error(ErrorCode::unavailable, fmt::format("{}: {}", what, std::strerror(code)));
}

// The three standard streams of a child: index is the child's descriptor.
struct Pipes {
    std::array<int, 3> ours = {-1, -1, -1};
    std::array<int, 3> theirs = {-1, -1, -1};

    Pipes() = default;
    Pipes(const Pipes&) = delete;
    Pipes& operator=(const Pipes&) = delete;

    ~Pipes() {
        close(ours);
        close(theirs);
    }

    Result<void> open() {
        for (std::size_t index = 0; index < ours.size(); ++index) {
            std::array<int, 2> ends{};
            if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
                return failure(system_error("pipe", errno));
            }
            const bool is_input = index == 0;
            ours.at(index) = ends.at(is_input ? 1 : 0);
            theirs.at(index) = ends.at(is_input ? 0 : 1);
        }
        return {};
    }

    static void close(std::array<int, 3>& ends) {
        for (int& end : ends) {
            if (end >= 0) {
                ::close(end);
            }
            end = -1;
        }
    }
};

std::vector<std::string> child_environment() {
    std::vector<std::string> entries;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        if (!text.starts_with("FLOWSPAN_") && !text.starts_with("TRACEPARENT=") &&
            !text.starts_with("TRACESTATE=")) {
            entries.emplace_back(text);
        }
    }
    trace::inject([&](std::string_view name, std::string_view value) {
        if (name == "traceparent") {
            entries.push_back(fmt::format("TRACEPARENT={}", value));
        } else if (name == "tracestate" && !value.empty()) {
            entries.push_back(fmt::format("TRACESTATE={}", value));
        }
    });
    return entries;
}

std::vector<char*> to_pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (auto& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

// The child runs no code of ours, so this is safe among threads.
Result<pid_t> spawn(std::vector<std::string> command, const std::array<int, 3>& streams) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    for (int target = 0; target < 3; ++target) {
        ::posix_spawn_file_actions_adddup2(
            &actions, streams.at(static_cast<std::size_t>(target)), target
        );
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    );
    auto environment = child_environment();
    auto arguments = to_pointers(command);
    auto variables = to_pointers(environment);
    pid_t pid = -1;
    const int code = ::posix_spawnp(
        &pid, arguments[0], &actions, &attributes, arguments.data(), variables.data()
    );
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (code != 0) {
        auto error = system_error(fmt::format("cannot start `{}`", command[0]), code);
        error.code = ErrorCode::not_found;
        return failure(std::move(error));
    }
    return pid;
}

/// A running child. Its destructor kills the group and waits for the child, which then ends at
/// once.
class Child {
public:
    Child(pid_t pid, const asio::io_context::executor_type& loop, std::array<int, 3>& streams)
        : pid_(pid),
          input_(loop, std::exchange(streams[0], -1)),
          output_(loop, std::exchange(streams[1], -1)),
          errors_(loop, std::exchange(streams[2], -1)),
          process_(loop) {
        const rlimit no_core = {0, 0};
        ::prlimit(pid_, RLIMIT_CORE, &no_core, nullptr);
    }

    ~Child() {
        if (is_running_) {
            ::kill(-pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    Task<Result<ProcessReply>> talk(const ProcessRequest& request) {
        async::TaskGroup group(co_await async::this_executor());
        group.spawn(
            [](Child& self, const std::string& text) { return self.write(text); },
            std::ref(*this),
            std::cref(request.input)
        );
        group.spawn([](Child& self) { return self.read_errors(); }, std::ref(*this));
        group.spawn(
            [](Child& self, async::TaskGroup& siblings, std::size_t bytes_max) {
                return self.read_output(siblings, bytes_max);
            },
            std::ref(*this),
            std::ref(group),
            request.output_bytes_max
        );
        co_await group.join();
        if (is_output_too_large_) {
            co_return failure(
                ErrorCode::limit_exceeded,
                fmt::format(
                    "`{}` wrote more than {} bytes", request.command[0], request.output_bytes_max
                )
            );
        }
        FLOWSPAN_CO_TRY(reply_.exit_code, co_await wait_end());
        co_return std::move(reply_);
    }

private:
    Task<void> write(const std::string& text) {
        // A program may end without reading; then this fails, which is no fault.
        boost::system::error_code code;
        co_await asio::async_write(
            input_, asio::buffer(text), asio::redirect_error(async::use_task, code)
        );
        input_.close(code);
    }

    Task<void> read_errors() {
        boost::system::error_code code;
        std::vector<char> buffer(kReadBytes);
        while (!code) {
            const auto size = co_await errors_.async_read_some(
                asio::buffer(buffer), asio::redirect_error(async::use_task, code)
            );
            const auto kept = std::min(size, kErrorBytesMax - reply_.errors.size());
            reply_.errors.append(buffer.data(), kept);
        }
    }

    Task<void> read_output(async::TaskGroup& siblings, std::size_t bytes_max) {
        boost::system::error_code code;
        std::vector<char> buffer(kReadBytes);
        while (!code && !is_output_too_large_) {
            const auto size = co_await output_.async_read_some(
                asio::buffer(buffer), asio::redirect_error(async::use_task, code)
            );
            is_output_too_large_ = size > bytes_max - reply_.output.size();
            reply_.output.append(buffer.data(), is_output_too_large_ ? 0 : size);
        }
        if (is_output_too_large_) {
            siblings.cancel();
        }
    }

    Task<Result<int>> wait_end() {
        const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
        if (descriptor < 0) {
            co_return failure(system_error("pidfd_open", errno));
        }
        process_.assign(descriptor);
        co_await process_.async_wait(Pipe::wait_read, async::use_task);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        is_running_ = false;
        // Whatever it left behind in its group.
        ::kill(-pid_, SIGKILL);
        constexpr int kSignalBase = 128;
        co_return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
    }

    pid_t pid_;
    bool is_running_ = true;
    bool is_output_too_large_ = false;
    Pipe input_;
    Pipe output_;
    Pipe errors_;
    Pipe process_;
    ProcessReply reply_;
};

}  // namespace

Task<Result<ProcessReply>> run_process(ProcessRequest request) {
    const auto executor = co_await async::this_executor();
    Pipes pipes;
    if (auto opened = pipes.open(); !opened) {
        co_return failure(std::move(opened).error());
    }
    FLOWSPAN_CO_TRY(const auto pid, spawn(request.command, pipes.theirs));
    Pipes::close(pipes.theirs);
    Child child(pid, executor.inner(), pipes.ours);
    auto reply = co_await async::with_deadline<ProcessReply>(
        real_clock().steady_now() + request.timeout, child.talk(request)
    );
    if (!reply && reply.error().code == ErrorCode::timeout) {
        co_return failure(
            ErrorCode::timeout,
            fmt::format("`{}` took longer than {} ms", request.command[0], request.timeout.count())
        );
    }
    co_return reply;
}

}  // namespace flowspan::tools
