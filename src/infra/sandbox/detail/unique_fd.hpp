#pragma once
// Owns a file descriptor.

#include <unistd.h>

#include <utility>

namespace flowspan::infra::sandbox {

class UniqueFd {
public:
    UniqueFd() noexcept = default;

    explicit UniqueFd(int descriptor) noexcept : descriptor_(descriptor) {}

    UniqueFd(UniqueFd&& other) noexcept : descriptor_(other.release()) {}

    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(other.release());
        return *this;
    }

    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const noexcept { return descriptor_; }

    [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

    void reset(int descriptor = -1) noexcept {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
        descriptor_ = descriptor;
    }

    explicit operator bool() const noexcept { return descriptor_ >= 0; }

private:
    int descriptor_ = -1;
};

}  // namespace flowspan::infra::sandbox
