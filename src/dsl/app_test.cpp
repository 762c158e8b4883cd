#include "dsl/app.hpp"

#include <gtest/gtest.h>

namespace flowspan::dsl {
namespace {

PositionMap sample() {
    PositionMap map;
    map.open("", {1, 1});
    map.open("list", {2, 1});
    map.open("0", {3, 3});
    map.open("name", {3, 5});
    map.close();
    map.close();
    map.open("1", {4, 3});
    map.close();
    map.close();
    map.open("twice", {5, 1});
    map.close();
    map.open("twice", {6, 1});
    map.close();
    map.close();
    return map;
}

TEST(PositionMap, FindsAPlaceOrTheNearestAboveIt) {
    const auto map = sample();
    EXPECT_EQ(map.find(""), (SourcePosition{1, 1}));
    EXPECT_EQ(map.find("/list/0/name"), (SourcePosition{3, 5}));
    EXPECT_EQ(map.find("/list/1"), (SourcePosition{4, 3}));
    EXPECT_EQ(map.find("/list/1/name"), (SourcePosition{4, 3}));
    EXPECT_EQ(map.find("/list/2"), (SourcePosition{2, 1}));
    EXPECT_EQ(map.find("/other"), (SourcePosition{1, 1}));
    EXPECT_EQ(map.find("/twice"), (SourcePosition{6, 1})) << "the last of equal keys counts";
    EXPECT_EQ(PositionMap().find("/x"), SourcePosition());
}

TEST(PositionMap, CutsOutAPart) {
    const auto part = sample().below("/list/0");
    EXPECT_EQ(part.find(""), (SourcePosition{3, 3}));
    EXPECT_EQ(part.find("/name"), (SourcePosition{3, 5}));
    EXPECT_EQ(sample().below("/none").find(""), SourcePosition());
}

TEST(NodeSpec, IsNamedByItsTitleAndId) {
    NodeSpec spec;
    spec.id = "17";
    EXPECT_EQ(spec.name(), "`17`");
    spec.title = "Ask";
    EXPECT_EQ(spec.name(), "\"Ask\" (17)");
}

}  // namespace
}  // namespace flowspan::dsl
