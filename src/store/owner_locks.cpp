#include "store/owner_locks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace flowspan::store {

namespace {

struct flock byte_lock(std::int64_t owner, short type) {
    struct flock lock{};

    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = owner;
    lock.l_len = 1;
    return lock;
}

}  // namespace

OwnerLocks::~OwnerLocks() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

OwnerLocks::OwnerLocks(OwnerLocks&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

OwnerLocks& OwnerLocks::operator=(OwnerLocks&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

Result<OwnerLocks> OwnerLocks::open(const std::filesystem::path& store_path, bool is_read_only) {
    const auto path = store_path.string() + "-owners";
    const int flags = is_read_only ? O_RDONLY : O_RDWR | O_CREAT;
    // A child must not keep its parent's lock.
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (descriptor < 0) {
        return failure(
            ErrorCode::unavailable,
            fmt::format("cannot open {}: {}", path, std::system_category().message(errno))
        );
    }
    return OwnerLocks(descriptor);
}

// Locks of the open file description, not of the process: those would be lost with the first close
// of any other descriptor of the file.
bool OwnerLocks::try_hold(std::int64_t owner) {
    auto lock = byte_lock(owner, F_WRLCK);
    return ::fcntl(descriptor_, F_OFD_SETLK, &lock) == 0;
}

void OwnerLocks::release(std::int64_t owner) {
    auto lock = byte_lock(owner, F_UNLCK);
    ::fcntl(descriptor_, F_OFD_SETLK, &lock);
}

bool OwnerLocks::is_held(std::int64_t owner) const {
    auto lock = byte_lock(owner, F_WRLCK);
    return ::fcntl(descriptor_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

}  // namespace flowspan::store
