#include "infra/sandbox/detail/zygote.hpp"

#include "infra/sandbox/detail/pidfd.hpp"
#include "infra/sandbox/detail/worker_files.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace flowspan::infra::sandbox {

namespace {

// Descriptors as bubblewrap gets them: the usual three, the control socket, the embedded files.
constexpr int kFirstFileFd = 4;
// Ours are first moved above this, so that laying out the low numbers overwrites none of them.
constexpr int kHighFd = 64;
constexpr int kGracePeriodMs = 3000;
// Node.js's own memory beside the heap of the user's objects: young generation, code, buffers.
constexpr std::size_t kNodeOverheadBytes = 96UL << 20U;
constexpr std::size_t kNodeHeapMinBytes = 64UL << 20U;

struct EmbeddedFile {
    const char* name;
    std::string_view content;
};

Error system_failure(const char* what) {
    return {
        ErrorCode::unavailable,
        std::string("the sandbox cannot be started: ") + what + ": " +
            std::generic_category().message(errno)
    };
}

Result<UniqueFd> move_high(UniqueFd descriptor) {
    UniqueFd high(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, kHighFd));
    if (!high) {
        return failure(system_failure("descriptors"));
    }
    return high;
}

Result<UniqueFd> make_file(const EmbeddedFile& file) {
    UniqueFd memory(::memfd_create(file.name, MFD_CLOEXEC));
    const auto size = static_cast<ssize_t>(file.content.size());
    if (!memory || ::write(memory.get(), file.content.data(), file.content.size()) != size ||
        ::lseek(memory.get(), 0, SEEK_SET) != 0) {
        return failure(system_failure("memory file"));
    }
    return move_high(std::move(memory));
}

/// The zygote's settings, see zygote.py.
std::string settings_text(const SandboxConfig& config) {
    const auto memory = config.limits.memory_bytes;
    const auto heap = memory > kNodeHeapMinBytes + kNodeOverheadBytes ? memory - kNodeOverheadBytes
                                                                      : kNodeHeapMinBytes;
    json::object settings;
    settings["temp_bytes"] = config.temp_bytes;
    settings["node"] = json::array{
        config.node,
        "--max-old-space-size=" + std::to_string(heap >> 20U),
        "/flowspan/node_worker.js",
    };
    return to_json_text(settings);
}

/// /bin, /lib and the like: links into /usr on a merged system, folders elsewhere.
void add_system_folders(std::vector<std::string>& arguments) {
    arguments.insert(arguments.end(), {"--ro-bind", "/usr", "/usr"});
    for (const char* path : {"/bin", "/lib", "/lib64", "/lib32"}) {
        std::error_code code;
        const auto target = std::filesystem::read_symlink(path, code);
        if (code) {
            arguments.insert(arguments.end(), {"--ro-bind-try", path, path});
        } else {
            arguments.insert(arguments.end(), {"--symlink", target.string(), path});
        }
    }
    for (const char* path : {"/etc/alternatives", "/etc/ld.so.cache"}) {
        arguments.insert(arguments.end(), {"--ro-bind-try", path, path});
    }
    arguments.insert(arguments.end(), {"--dir", "/dev"});
    for (const char* path :
         {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
        arguments.insert(arguments.end(), {"--dev-bind-try", path, path});
    }
}

std::vector<std::string> bwrap_arguments(
    const SandboxConfig& config, std::span<const EmbeddedFile> files
) {
    std::vector<std::string> arguments = {
        config.bwrap,
        "--unshare-all",
        "--new-session",
        // Neither root inside, nor any capability but the one with which the zygote gives each
        // worker a /tmp of its own. Workers have none.
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--cap-drop",
        "ALL",
        "--cap-add",
        "CAP_SYS_ADMIN",
        "--clearenv",
        "--setenv",
        "PATH",
        "/usr/bin:/bin",
        "--setenv",
        "LANG",
        "C.UTF-8",
        "--setenv",
        "HOME",
        "/tmp",
        "--hostname",
        "sandbox",
    };
    add_system_folders(arguments);
    for (const auto& path : config.read_only_paths) {
        arguments.insert(arguments.end(), {"--ro-bind", path, path});
    }
    // There is no /proc: nothing needs it, and workers would see each other there.
    arguments.insert(arguments.end(), {"--dir", "/tmp"});
    int descriptor = kFirstFileFd;
    for (const auto& file : files) {
        arguments.insert(
            arguments.end(),
            {"--ro-bind-data", std::to_string(descriptor++), std::string("/flowspan/") + file.name}
        );
    }
    arguments.insert(
        arguments.end(),
        {"--remount-ro",
         "/",
         "--chdir",
         "/",
         "--",
         config.python,
         "-I",
         "-B",
         "/flowspan/zygote.py",
         settings_text(config)}
    );
    return arguments;
}

/// posix_spawn, which is safe among threads: the child runs no code of ours.
Result<int> spawn(std::vector<std::string> arguments, std::span<const int> descriptors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    int target = 0;
    for (const int descriptor : descriptors) {
        ::posix_spawn_file_actions_adddup2(&actions, descriptor, target++);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions, target);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> pointers;
    pointers.reserve(arguments.size() + 1);
    for (auto& argument : arguments) {
        pointers.push_back(argument.data());
    }
    pointers.push_back(nullptr);
    char* environment[] = {nullptr};
    pid_t pid = -1;
    const int error =
        ::posix_spawnp(&pid, pointers[0], &actions, &attributes, pointers.data(), environment);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error == ENOENT) {
        return failure(
            ErrorCode::unsupported,
            "bubblewrap (" + arguments[0] +
                ") was not found; code nodes and Jinja2 templates run "
                "only inside its sandbox: install it (Debian: apt install bubblewrap)"
        );
    }
    if (error != 0) {
        errno = error;
        return failure(system_failure("bubblewrap"));
    }
    return pid;
}

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

/// Only our end does not block.
Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return failure(system_failure("pipe"));
    }
    Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return pipe;
}

struct SocketPair {
    UniqueFd ours;
    UniqueFd theirs;
};

Result<SocketPair> make_socket_pair(int type) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return failure(system_failure("socket pair"));
    }
    SocketPair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return pair;
}

}  // namespace

Zygote::Zygote(int pid, UniqueFd control, UniqueFd complaints, std::uint64_t generation)
    : pid_(pid),
      pidfd_(open_process(pid)),
      control_(std::move(control)),
      complaints_(std::move(complaints)),
      generation_(generation) {}

Result<std::unique_ptr<Zygote>> Zygote::start(
    const SandboxConfig& config, std::uint64_t generation
) {
    FLOWSPAN_TRY(const std::string python_filter, make_seccomp_filter(WorkerKind::python));
    FLOWSPAN_TRY(const std::string node_filter, make_seccomp_filter(WorkerKind::node));
    const std::array<EmbeddedFile, 5> files = {{
        {"zygote.py", kZygoteScript},
        {"python_worker.py", kPythonWorkerScript},
        {"node_worker.js", kNodeWorkerScript},
        {"python.bpf", python_filter},
        {"node.bpf", node_filter},
    }};
    FLOWSPAN_TRY(auto control, make_socket_pair(SOCK_SEQPACKET));
    FLOWSPAN_TRY(auto complaints, make_pipe());
    FLOWSPAN_TRY(const UniqueFd null, move_high(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC))));
    FLOWSPAN_TRY(const UniqueFd theirs, move_high(std::move(control.theirs)));
    FLOWSPAN_TRY(const UniqueFd complain, move_high(std::move(complaints.write_end)));
    std::vector<UniqueFd> open_files;
    std::vector<int> descriptors = {null.get(), null.get(), complain.get(), theirs.get()};
    for (const auto& file : files) {
        FLOWSPAN_TRY(auto descriptor, make_file(file));
        descriptors.push_back(descriptor.get());
        open_files.push_back(std::move(descriptor));
    }
    FLOWSPAN_TRY(const int pid, spawn(bwrap_arguments(config, files), descriptors));
    return std::unique_ptr<Zygote>(
        new Zygote(pid, std::move(control.ours), std::move(complaints.read_end), generation)
    );
}

Zygote::~Zygote() {
    control_.reset();
    pollfd watch = {pidfd_.get(), POLLIN, 0};
    if (!pidfd_ || ::poll(&watch, 1, kGracePeriodMs) != 1) {
        ::kill(pid_, SIGKILL);
    }
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<std::optional<IdleWorker>> Zygote::order_worker(WorkerKind kind) {
    FLOWSPAN_TRY(auto data, make_socket_pair(SOCK_STREAM));
    FLOWSPAN_TRY(auto printed, make_pipe());
    FLOWSPAN_TRY(auto status, make_pipe());
    // The worker's first byte then tells its process id as we see it.
    const int on = 1;
    ::setsockopt(data.ours.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    const std::array<int, 3> theirs = {
        data.theirs.get(), printed.write_end.get(), status.write_end.get()
    };
    char letter = kind == WorkerKind::python ? 'p' : 'n';
    iovec text = {&letter, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof theirs)> control{};
    msghdr message = {};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof theirs);
    std::memcpy(CMSG_DATA(header), theirs.data(), sizeof theirs);
    const auto sent = ::sendmsg(control_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
        return std::nullopt;
    }
    if (sent != 1) {
        return failure(system_failure("no order taken"));
    }
    return IdleWorker{
        kind,
        generation_,
        std::move(data.ours),
        std::move(printed.read_end),
        std::move(status.read_end),
    };
}

std::string Zygote::read_complaint() {
    std::string text(4096, '\0');
    const auto size = ::read(complaints_.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

}  // namespace flowspan::infra::sandbox
