#pragma once
// The system calls that a worker may make.

#include "flowspan/base/result.hpp"

#include <string>

namespace flowspan::infra::sandbox {

enum class WorkerKind { python, node };

/// A BPF program for seccomp, as bytes. Whatever is not on the list answers ENOSYS, so that
/// libraries fall back; what users are likely to try answers EPERM.
[[nodiscard]] Result<std::string> make_seccomp_filter(WorkerKind kind);

}  // namespace flowspan::infra::sandbox
