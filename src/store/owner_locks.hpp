#pragma once
// Who is alive: each process that writes to a store holds one byte of a lock file.

#include "flowspan/base/result.hpp"

#include <cstdint>
#include <filesystem>

namespace flowspan::store {

/// A lock ends with its process, however that ends, and is never taken for another's: neither a
/// reused process id, nor a restart of the machine, nor containers with process ids of their own
/// deceive it. Not synchronised.
class OwnerLocks {
public:
    OwnerLocks() = default;
    ~OwnerLocks();
    OwnerLocks(OwnerLocks&& other) noexcept;
    OwnerLocks& operator=(OwnerLocks&& other) noexcept;

    /// Opens the lock file of the store at `store_path`. A reader needs no right to write, but can
    /// hold nothing then.
    [[nodiscard]] static Result<OwnerLocks> open(
        const std::filesystem::path& store_path, bool is_read_only
    );

    /// False if somebody else holds it.
    [[nodiscard]] bool try_hold(std::int64_t owner);
    void release(std::int64_t owner);

    /// By another OwnerLocks, in this or another process. Also true if it cannot be found out.
    [[nodiscard]] bool is_held(std::int64_t owner) const;

private:
    explicit OwnerLocks(int descriptor) : descriptor_(descriptor) {}

    int descriptor_ = -1;
};

}  // namespace flowspan::store
