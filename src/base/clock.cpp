#include "flowspan/base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <random>
#include <string_view>

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

// Has no bad seeds; also spreads the seed of the generator below.
std::uint64_t splitmix64(std::uint64_t& state) noexcept {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31U);
}

// xoshiro256++: 32 bytes a thread, and a fraction of what std::mt19937_64 takes for a number. Every
// node execution and every span needs some.
class Xoshiro256 {
public:
    explicit Xoshiro256(std::uint64_t seed) noexcept {
        for (auto& word : state_) {
            word = splitmix64(seed);
        }
    }

    std::uint64_t next() noexcept {
        const auto result = std::rotl(state_[0] + state_[3], 23) + state_[0];
        const auto shifted = state_[1] << 17U;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

private:
    std::array<std::uint64_t, 4> state_{};
};

class RealRandom final : public Random {
public:
    std::uint64_t next() noexcept override {
        thread_local Xoshiro256 engine(kernel_seed());
        return engine.next();
    }
};

constexpr auto kHexPairs = [] {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, 512> pairs{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
        pairs[2 * byte] = kDigits[byte >> 4U];
        pairs[2 * byte + 1] = kDigits[byte & 0xFU];
    }
    return pairs;
}();

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() noexcept override { return splitmix64(state_); }

private:
    std::uint64_t state_;
};

}  // namespace

const Clock& real_clock() noexcept {
    static const RealClock kClock;
    return kClock;
}

Random& real_random() noexcept {
    static RealRandom random;
    return random;
}

std::unique_ptr<Random> make_seeded_random(std::uint64_t seed) {
    return std::make_unique<SeededRandom>(seed);
}

std::string make_uuid(Random& random) {
    std::array<std::uint64_t, 2> words = {random.next(), random.next()};
    // RFC 4122: version nibble 4, variant bits 10.
    words[0] = (words[0] & 0xFFFFFFFFFFFF0FFFULL) | 0x4000ULL;
    words[1] = (words[1] & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
    std::string text(36, '-');
    char* at = text.data();
    for (std::size_t byte = 0; byte < 16; ++byte) {
        if (byte == 4 || byte == 6 || byte == 8 || byte == 10) {
            ++at;
        }
        const auto value = (words[byte / 8] >> (56 - 8 * (byte % 8))) & 0xFFU;
        std::memcpy(at, kHexPairs.data() + 2 * value, 2);
        at += 2;
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
