#pragma once
// Time and randomness as interfaces, so that a test can replay a run from a seed.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace flowspan {

using SystemTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

/// The two clocks. Implementations are safe to call from any thread.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual SystemTime system_now() const noexcept = 0;
    [[nodiscard]] virtual SteadyTime steady_now() const noexcept = 0;
};

/// Source of random bits. Safe to call from any thread.
class Random {
public:
    virtual ~Random() = default;
    [[nodiscard]] virtual std::uint64_t next() noexcept = 0;
};

/// The machine's clocks and a per-thread generator seeded from the kernel.
[[nodiscard]] const Clock& real_clock() noexcept;
[[nodiscard]] Random& real_random() noexcept;

/// A deterministic generator for tests and the demo model. Not thread-safe.
[[nodiscard]] std::unique_ptr<Random> make_seeded_random(std::uint64_t seed);

/// A random (version 4) UUID in its 36-character form.
[[nodiscard]] std::string make_uuid(Random& random);

/// `2026-01-31T23:59:59.123Z`.
[[nodiscard]] std::string to_iso8601(SystemTime time);

}  // namespace flowspan
