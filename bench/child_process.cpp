#include "child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace flowspan::bench {

std::filesystem::path program_folder() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command, int core) {
    std::vector<char*> arguments;
    for (const auto& argument : command) {
        // execv takes non-const pointers and changes nothing.
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
        return failure(ErrorCode::internal, fmt::format("no pipe: {}", strerror(errno)));
    }
    const pid_t pid = fork();
    if (pid == 0) {
        // Also when this program gives up, which ends it at once.
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (core >= 0) {
            cpu_set_t set;
            CPU_ZERO(&set);
            CPU_SET(core, &set);
            sched_setaffinity(0, sizeof(set), &set);
        }
        dup2(pipe_ends[1], STDOUT_FILENO);
        execv(arguments[0], arguments.data());
        _exit(127);
    }
    close(pipe_ends[1]);
    if (pid < 0) {
        close(pipe_ends[0]);
        return failure(ErrorCode::internal, fmt::format("no process: {}", strerror(errno)));
    }
    return ChildProcess(pid, pipe_ends[0]);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      read_(std::move(other.read_)) {}

ChildProcess::~ChildProcess() {
    if (pid_ > 0) {
        kill(pid_, SIGTERM);
        wait();
    }
    if (output_ >= 0) {
        close(output_);
    }
}

std::string ChildProcess::read_line() {
    std::array<char, 4096> buffer;
    while (true) {
        if (const auto end = read_.find('\n'); end != std::string::npos) {
            auto line = read_.substr(0, end);
            read_.erase(0, end + 1);
            return line;
        }
        const auto size = ::read(output_, buffer.data(), buffer.size());
        if (size <= 0) {
            return std::exchange(read_, {});
        }
        read_.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

int ChildProcess::wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<ModelServerProcess> ModelServerProcess::start(const Script& script, int core) {
    const auto path = program_folder() / "flowspan_model_server";
    FLOWSPAN_TRY(
        auto process,
        ChildProcess::start(
            {path.string(),
             "--tokens",
             std::to_string(script.tokens),
             "--first-ms",
             std::to_string(script.first_ms),
             "--gap-ms",
             std::to_string(script.gap_ms)},
            core
        )
    );
    const auto line = process.read_line();
    const auto colon = line.rfind(':');
    if (!line.starts_with("listening on ") || colon == std::string::npos) {
        return failure(ErrorCode::unavailable, fmt::format("{} does not start", path.string()));
    }
    return ModelServerProcess(
        std::move(process), fmt::format("http://127.0.0.1:{}/v1", line.substr(colon + 1))
    );
}

}  // namespace flowspan::bench
