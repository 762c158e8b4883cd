#include "knowledge/splitter.hpp"

#include "flowspan/base/text.hpp"

#include <gtest/gtest.h>

namespace flowspan::knowledge {
namespace {

using Segments = std::vector<std::string>;

TEST(Splitter, PacksParagraphsAsLongAsTheyFit) {
    EXPECT_EQ(split_text("", {}), Segments());
    EXPECT_EQ(split_text(" \n\n ", {}), Segments());
    EXPECT_EQ(split_text("one\n\ntwo\n \nthree", {12, 0}), (Segments{"one\n\ntwo", "three"}));
}

TEST(Splitter, CutsLongParagraphsAtSentencesWithOverlap) {
    EXPECT_EQ(
        split_text("First one here. Second one is here.", {20, 0}),
        (Segments{"First one here.", "Second one is here."})
    );
    EXPECT_EQ(
        split_text("报销需要发票。差旅费另行申请。", {10, 2}),
        (Segments{"报销需要发票。", "票。差旅费另行申请。"})
    );
}

TEST(Splitter, GoesOnWhateverTheOverlapIs) {
    const auto segments = split_text(std::string(1000, 'x'), {10, 500});
    EXPECT_GT(segments.size(), 100U);
    for (const auto& segment : segments) {
        EXPECT_LE(count_code_points(segment), 10U);
    }
}

}  // namespace
}  // namespace flowspan::knowledge
