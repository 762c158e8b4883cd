#include "flowspan/base/clock.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace flowspan {
namespace {

class FixedRandom final : public Random {
public:
    explicit FixedRandom(std::uint64_t word) : word_(word) {}

    std::uint64_t next() noexcept override { return word_; }

private:
    std::uint64_t word_;
};

TEST(Clock, UuidsSpellTheRandomWordsWithVersionAndVariant) {
    FixedRandom counted(0x0123456789ABCDEFULL);
    EXPECT_EQ(make_uuid(counted), "01234567-89ab-4def-8123-456789abcdef");
    FixedRandom ones(~0ULL);
    EXPECT_EQ(make_uuid(ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(Clock, RealRandomDoesNotRepeatItself) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(make_uuid(real_random()));
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(Clock, SeededRandomRepeatsFromItsSeed) {
    EXPECT_EQ(make_seeded_random(7)->next(), make_seeded_random(7)->next());
    EXPECT_NE(make_seeded_random(7)->next(), make_seeded_random(8)->next());
}

TEST(Clock, TimesArePrintedInUtcWithMilliseconds) {
    EXPECT_EQ(to_iso8601(SystemTime(std::chrono::milliseconds(1))), "1970-01-01T00:00:00.001Z");
}

}  // namespace
}  // namespace flowspan
