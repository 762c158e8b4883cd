#include "flowspan/base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <random>

namespace flowspan {

namespace {

class RealClock final : public Clock {
public:
    SystemTime system_now() const noexcept override { return std::chrono::system_clock::now(); }

    SteadyTime steady_now() const noexcept override { return std::chrono::steady_clock::now(); }
};

std::uint64_t kernel_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

// xoshiro-class speed is not needed; splitmix64 has a 2^64 period and no bad seeds.
std::uint64_t splitmix64(std::uint64_t& state) noexcept {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31U);
}

class RealRandom final : public Random {
public:
    std::uint64_t next() noexcept override {
        thread_local std::mt19937_64 engine(kernel_seed());
        return engine();
    }
};

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() noexcept override { return splitmix64(state_); }

private:
    std::uint64_t state_;
};

}  // namespace

const Clock& real_clock() noexcept {
    static const RealClock clock;
    return clock;
}

Random& real_random() noexcept {
    static RealRandom random;
    return random;
}

std::unique_ptr<Random> make_seeded_random(std::uint64_t seed) {
    return std::make_unique<SeededRandom>(seed);
}

std::string make_uuid(Random& random) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::array<std::uint64_t, 2> words = {random.next(), random.next()};
    // RFC 4122: version nibble 4, variant bits 10.
    words[0] = (words[0] & 0xFFFFFFFFFFFF0FFFULL) | 0x4000ULL;
    words[1] = (words[1] & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
    std::string text(36, '-');
    std::size_t at = 0;
    for (int digit = 0; digit < 32; ++digit) {
        if (digit == 8 || digit == 12 || digit == 16 || digit == 20) {
            ++at;
        }
        const auto word = words[static_cast<std::size_t>(digit) / 16];
        text[at++] = kHex[(word >> (60 - 4 * (digit % 16))) & 0xFU];
    }
    return text;
}

std::string to_iso8601(SystemTime time) {
    const auto since_epoch = time.time_since_epoch();
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
    return fmt::format(
        "{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
        fmt::gmtime(static_cast<std::time_t>(milliseconds / 1000)),
        milliseconds % 1000
    );
}

}  // namespace flowspan
