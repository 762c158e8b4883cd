#include "infra/sandbox/detail/seccomp_filter.hpp"

#include "infra/sandbox/detail/unique_fd.hpp"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string_view>

namespace flowspan::infra::sandbox {

namespace {

// clang-format off
constexpr auto kAllowed = std::to_array<const char*>({
    // Files; what can be seen of them is the mount namespace's business.
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "lseek",
    "open", "openat", "close", "close_range", "stat", "fstat", "lstat", "newfstatat", "statx",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64",
    "dup", "dup2", "dup3", "pipe", "pipe2", "flock", "fsync", "fdatasync", "truncate",
    "ftruncate", "fallocate", "fadvise64", "rename", "renameat", "renameat2", "mkdir", "mkdirat",
    "rmdir", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod",
    "fchmodat", "utimensat", "utime", "utimes", "umask", "getcwd", "chdir", "fchdir", "statfs",
    "fstatfs", "sendfile", "copy_file_range",
    // Memory.
    "mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "brk", "membarrier",
    // Threads, time and waiting.
    "rseq", "set_robust_list", "get_robust_list", "set_tid_address", "futex", "sched_yield",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
    "sched_get_priority_min", "getcpu", "nanosleep", "clock_nanosleep", "clock_gettime",
    "clock_getres", "gettimeofday", "time", "times", "getrusage", "timerfd_create",
    "timerfd_settime", "timerfd_gettime", "alarm", "setitimer", "getitimer", "pause",
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "poll", "ppoll", "select", "pselect6", "eventfd", "eventfd2", "restart_syscall",
    // Signals, to itself only.
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
    "rt_sigsuspend", "sigaltstack", "signalfd4",
    // Descriptors it was given; socket() itself is refused below.
    "sendto", "recvfrom", "sendmsg", "recvmsg", "shutdown", "getsockopt", "setsockopt",
    "getsockname", "getpeername",
    // Who and where am I.
    "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getgroups", "getpgrp", "getpgid", "getsid", "getpriority", "capget", "uname",
    "sysinfo", "getrandom", "arch_prctl", "getrlimit", "exit", "exit_group", "wait4", "waitid",
});

constexpr auto kRefused = std::to_array<const char*>({
    "socket", "fork", "vfork", "execveat", "kill", "tkill", "tgkill", "ptrace", "mount", "umount2",
    "unshare", "setns", "chroot", "pivot_root", "bpf", "perf_event_open", "userfaultfd",
    "io_uring_setup", "keyctl", "add_key", "request_key", "process_vm_readv", "process_vm_writev",
    "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "memfd_create", "setpriority", "chown",
    "fchown", "lchown", "fchownat", "setuid", "setgid", "setgroups", "mlock", "mlockall", "mknod",
    "mknodat", "shmget", "semget", "msgget", "mq_open", "capset", "seccomp",
});
// clang-format on

// FIOCLEX, FIONCLEX, FIONBIO, FIONREAD, TCGETS, TIOCGWINSZ. No others: FIOSETOWN, for example,
// makes the kernel send signals to another process.
constexpr std::array<std::uint64_t, 6> kIoctls = {0x5451, 0x5450, 0x5421, 0x541B, 0x5401, 0x5413};
// F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_DUPFD_CLOEXEC.
// F_SETOWN is missing for the reason above.
constexpr std::array<std::uint64_t, 9> kFcntls = {0, 1, 2, 3, 4, 5, 6, 7, 1030};
// PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_VMA (names for memory areas).
constexpr std::array<std::uint64_t, 4> kPrctls = {15, 16, 3, 0x53564d41};

// CLONE_THREAD, and every CLONE_NEW* flag.
constexpr std::uint64_t kCloneThread = 0x00010000;
constexpr std::uint64_t kCloneNamespaces = 0x7E020080;

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

class FilterBuilder {
public:
    FilterBuilder() : context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), &seccomp_release) {}

    void add(std::uint32_t action, const char* call, auto... conditions) {
        const int number = seccomp_syscall_resolve_name(call);
        // Negative: this architecture has no such call (arm64 has no open, for example).
        if (number >= 0 && error_ == 0) {
            error_ = seccomp_rule_add(
                context_.get(), action, number, sizeof...(conditions), conditions...
            );
        }
    }

    void allow_argument(const char* call, unsigned argument, auto values) {
        for (const auto value : values) {
            add(SCMP_ACT_ALLOW, call, scmp_arg_cmp{argument, SCMP_CMP_EQ, value, 0});
        }
    }

    [[nodiscard]] bool export_to(int descriptor) {
        return context_ != nullptr && error_ == 0 &&
               seccomp_export_bpf(context_.get(), descriptor) == 0;
    }

    void optimise() {
        // 2: a binary tree over the system call numbers instead of a chain.
        if (error_ == 0) {
            error_ = seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
        }
    }

private:
    Context context_;
    int error_ = 0;
};

void add_rules(FilterBuilder& builder, WorkerKind kind) {
    for (const char* call : kAllowed) {
        builder.add(SCMP_ACT_ALLOW, call);
    }
    for (const char* call : kRefused) {
        builder.add(SCMP_ACT_ERRNO(EPERM), call);
    }
    builder.allow_argument("ioctl", 1, kIoctls);
    builder.allow_argument("fcntl", 1, kFcntls);
    builder.allow_argument("prctl", 0, kPrctls);
    builder.allow_argument("socketpair", 0, std::array<std::uint64_t, 1>{AF_UNIX});
    // Its own limits only, which can only be lowered.
    builder.allow_argument("prlimit64", 0, std::array<std::uint64_t, 1>{0});
    // Threads yes, processes no. The flags of clone3 are out of a filter's sight; with ENOSYS the C
    // library falls back to clone.
    const auto mask = kCloneThread | kCloneNamespaces;
    builder.add(SCMP_ACT_ALLOW, "clone", scmp_arg_cmp{0, SCMP_CMP_MASKED_EQ, mask, kCloneThread});
    builder.add(
        SCMP_ACT_ERRNO(EPERM), "clone", scmp_arg_cmp{0, SCMP_CMP_MASKED_EQ, kCloneThread, 0}
    );
    // The filter is in force when the worker becomes Node.js. Later it would only let the code
    // replace itself by another program under the same filter.
    const auto exec_action = kind == WorkerKind::node ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
    builder.add(exec_action, "execve");
}

}  // namespace

Result<std::string> make_seccomp_filter(WorkerKind kind) {
    FilterBuilder builder;
    add_rules(builder, kind);
    builder.optimise();
    const UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
    if (!file || !builder.export_to(file.get())) {
        return failure(ErrorCode::unsupported, "the sandbox's system call filter cannot be built");
    }
    struct stat status{};

    ::fstat(file.get(), &status);
    std::string program(static_cast<std::size_t>(status.st_size), '\0');
    if (::pread(file.get(), program.data(), program.size(), 0) != status.st_size) {
        return failure(ErrorCode::unsupported, "the sandbox's system call filter cannot be read");
    }
    return program;
}

}  // namespace flowspan::infra::sandbox
