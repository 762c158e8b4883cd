#include "infra/sandbox/detail/live_worker.hpp"

#include "async/use_task.hpp"
#include "flowspan/async/deadline.hpp"
#include "flowspan/base/text.hpp"
#include "infra/sandbox/detail/pidfd.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

namespace asio = boost::asio;

namespace flowspan::infra::sandbox {

namespace {

// What counts is the measured memory; the kernel's limit on writable mappings only stops what grows
// fast between two measurements. Thread stacks, and in Node.js code and heap pages, are mapped but
// not used. (A limit on the address space would be of no use: every thread reserves 128 MiB of it.)
constexpr std::size_t kPythonMappedSlack = 256UL << 20U;
constexpr std::size_t kNodeMappedSlack = 768UL << 20U;
constexpr std::size_t kOpenFilesMax = 256;
constexpr auto kEndTimeout = std::chrono::seconds(2);

void set_limit(pid_t pid, __rlimit_resource resource, std::size_t value) {
    const rlimit limit = {value, value};
    ::prlimit(pid, resource, &limit, nullptr);
}

std::size_t to_number(std::string_view text) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

LiveWorker::LiveWorker(const LoopExecutor& loop, IdleWorker worker)
    : kind_(worker.kind),
      generation_(worker.generation),
      data_(loop, asio::local::stream_protocol(), worker.data.release()),
      printed_(loop, worker.printed.release()),
      status_(loop, worker.status.release()) {}

LiveWorker::~LiveWorker() {
    kill();
}

LiveWorker::Hello LiveWorker::receive_hello() {
    char letter = 0;
    iovec text = {&letter, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    msghdr message = {};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = ::recvmsg(data_.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return Hello::absent;
    }
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (size != 1 || header == nullptr || header->cmsg_type != SCM_CREDENTIALS) {
        return Hello::ended;
    }
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
    pid_ = sender.pid;
    pidfd_.reset(open_process(pid_));
    stat_.reset(::open(("/proc/" + std::to_string(pid_) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    // The number was the worker's if the worker is still there: its end of the socket is open.
    const auto probe = ::recv(data_.native_handle(), &letter, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool is_open = probe < 0 && (errno == EAGAIN || errno == EINTR);
    if (!pidfd_ || !is_open) {
        pidfd_.reset();
        return Hello::ended;
    }
    return Hello::received;
}

Task<Result<bool>> LiveWorker::wait_hello() {
    for (;;) {
        const auto hello = receive_hello();
        if (hello != Hello::absent) {
            co_return hello == Hello::received;
        }
        co_await data_.async_wait(DataSocket::wait_read, async::use_task);
    }
}

Task<Result<bool>> LiveWorker::wait_ready(std::chrono::milliseconds limit) {
    // Spares are ready as a rule, and then no timer is needed.
    const auto hello = receive_hello();
    if (hello != Hello::absent) {
        co_return hello == Hello::received;
    }
    const auto executor = co_await async::this_executor();
    const auto start_end = real_clock().steady_now() + limit;
    const auto task_end = executor.task()->deadline().value_or(start_end);
    co_return co_await async::with_deadline<bool>(std::min(start_end, task_end), wait_hello());
}

void LiveWorker::limit(const Limits& limits, std::size_t file_bytes) {
    const auto slack = kind_ == WorkerKind::python ? kPythonMappedSlack : kNodeMappedSlack;
    set_limit(pid_, RLIMIT_DATA, limits.memory_bytes + slack);
    set_limit(pid_, RLIMIT_FSIZE, file_bytes);
    set_limit(pid_, RLIMIT_NOFILE, kOpenFilesMax);
}

std::optional<Usage> LiveWorker::usage() {
    std::array<char, 1024> buffer{};
    const auto size = ::pread(stat_.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) {
        return std::nullopt;
    }
    // proc(5): the second field is the name in parentheses and may hold anything, so fields are
    // counted from after it: the third is at 0, utime and stime at 11 and 12, threads at 17 and
    // resident pages at 21.
    const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    const auto name_end = text.rfind(')');
    if (name_end == std::string_view::npos || name_end + 2 > text.size()) {
        return std::nullopt;
    }
    const auto fields = split(text.substr(name_end + 2), ' ');
    if (fields.size() < 22) {
        return std::nullopt;
    }
    static const auto kTicksPerSecond = static_cast<std::size_t>(::sysconf(_SC_CLK_TCK));
    static const auto kPageBytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto ticks = to_number(fields[11]) + to_number(fields[12]);
    return Usage{
        to_number(fields[21]) * kPageBytes,
        std::chrono::milliseconds(ticks * 1000 / kTicksPerSecond),
        to_number(fields[17]),
    };
}

void LiveWorker::kill() {
    if (pidfd_) {
        signal_process(pidfd_.get(), SIGKILL);
    }
}

namespace {

Task<Result<std::string>> read_all(PipeReader& pipe) {
    std::string text;
    std::array<char, 64> buffer{};
    boost::system::error_code code;
    while (!code) {
        const auto size = co_await pipe.async_read_some(
            asio::buffer(buffer), asio::redirect_error(async::use_task, code)
        );
        text.append(buffer.data(), size);
    }
    if (code == asio::error::operation_aborted) {
        async::throw_cancelled();
    }
    co_return text;
}

}  // namespace

Task<std::string> LiveWorker::wait_end() {
    const auto deadline = real_clock().steady_now() + kEndTimeout;
    auto text = co_await async::with_deadline<std::string>(deadline, read_all(status_));
    co_return text ? *std::move(text) : std::string();
}

}  // namespace flowspan::infra::sandbox
