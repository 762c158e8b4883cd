#include "dsl/detail/cycles.hpp"
#include "dsl/detail/pointer.hpp"
#include "dsl/detail/version.hpp"

#include <gtest/gtest.h>

namespace flowspan::dsl::detail {
namespace {

using Cycle = std::vector<std::size_t>;

TEST(Cycles, AreFoundOncePerKnot) {
    EXPECT_TRUE(find_cycles({}).empty());
    EXPECT_TRUE(find_cycles({{1, 2}, {3}, {3}, {}}).empty()) << "a diamond is no cycle";
    EXPECT_EQ(find_cycles({{0}}), (std::vector<Cycle>{{0}}));
    EXPECT_EQ(find_cycles({{1}, {2}, {0}}), (std::vector<Cycle>{{0, 1, 2}}));
    // Two knots, one of them with a shortcut, behind a node that is in neither.
    EXPECT_EQ(
        find_cycles({{1, 4}, {2}, {3, 1}, {1}, {5}, {4}}), (std::vector<Cycle>{{1, 2}, {4, 5}})
    );
}

TEST(Cycles, AreFoundInLongChainsWithoutRecursion) {
    std::vector<Cycle> targets(100'000);
    for (std::size_t i = 0; i < targets.size(); ++i) {
        targets[i] = {(i + 1) % targets.size()};
    }
    const auto cycles = find_cycles(targets);
    ASSERT_EQ(cycles.size(), 1U);
    EXPECT_EQ(cycles[0].size(), targets.size());
}

TEST(Version, ReadsTheNumbersAndOrdersThem) {
    EXPECT_EQ(parse_version("0.3.1"), (Version{0, 3, 1}));
    EXPECT_EQ(parse_version("v1"), (Version{1, 0, 0}));
    EXPECT_EQ(parse_version("0.3.1.4"), (Version{0, 3, 1}));
    EXPECT_EQ(parse_version("1.0.0-rc1"), (Version{1, 0, 0}));
    EXPECT_EQ(parse_version("1.0.dev2"), (Version{1, 0, 0}));
    EXPECT_LT(*parse_version("0.9.9"), *parse_version("0.10.0"));
    for (const auto* text : {"", "v", "one", "1.", "1..2", ".1", "1 2", "1/2", "99999999999"}) {
        EXPECT_FALSE(parse_version(text)) << text;
    }
}

TEST(Pointer, EscapesAndReadsParts) {
    EXPECT_EQ(join_pointer("/a", "b/c~d"), "/a/b~1c~0d");
    std::string_view pointer = "/b~1c~0d/0";
    EXPECT_TRUE(is_pointer_part(take_pointer_part(pointer), "b/c~d"));
    EXPECT_EQ(take_pointer_part(pointer), "0");
    EXPECT_TRUE(pointer.empty());
    EXPECT_FALSE(is_pointer_part("ab", "a"));
    EXPECT_FALSE(is_pointer_part("a", "ab"));
    EXPECT_EQ(to_path("/model/messages/0/text"), "model.messages[0].text");
    EXPECT_EQ(to_path(""), "");
}

}  // namespace
}  // namespace flowspan::dsl::detail
