#pragma once
// Process descriptors; the C library's own header lacks C linkage in some versions.

#include <sys/syscall.h>
#include <unistd.h>

namespace flowspan::infra::sandbox {

/// A descriptor that becomes readable when the process ends, or -1.
[[nodiscard]] inline int open_process(pid_t pid) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

/// Fails quietly if the process has ended.
inline void signal_process(int descriptor, int signal) noexcept {
    ::syscall(SYS_pidfd_send_signal, descriptor, signal, nullptr, 0);
}

}  // namespace flowspan::infra::sandbox
