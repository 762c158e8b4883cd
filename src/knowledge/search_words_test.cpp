#include "knowledge/search_words.hpp"

#include <gtest/gtest.h>

namespace flowspan::knowledge {
namespace {

using Terms = std::vector<std::string>;

TEST(SearchWords, MakesAWordOfEachChineseCharacter) {
    EXPECT_EQ(index_words("Refunds, 报销流程！ＡＢ1"), "refund 报 销 流 程 ab1");
    EXPECT_EQ(index_words("Größe été"), "größe été");
}

TEST(SearchWords, GivesFormsOfAWordOneStem) {
    for (const auto* word : {"refund", "refunds", "refunded", "refunding", "REFUND"}) {
        EXPECT_EQ(index_words(word), "refund");
    }
    EXPECT_EQ(index_words("policy policies class"), "policy policy class");
}

TEST(SearchWords, AsksForPairsOfCharactersAndNoCommonWords) {
    EXPECT_EQ(query_terms("报销流程"), (Terms{"报 销", "销 流", "流 程"}));
    EXPECT_EQ(query_terms("猫"), (Terms{"猫"}));
    EXPECT_EQ(query_terms("What is the refund for 猫粮?"), (Terms{"refund", "猫 粮"}));
    EXPECT_EQ(query_terms("to be"), (Terms{"to", "be"}));
    EXPECT_EQ(query_terms("\" OR * ("), (Terms{"or"}));
}

TEST(SearchWords, CoverageIsTheShareOfTermsFound) {
    EXPECT_EQ(coverage({"refund", "流 程"}, "refund 报 销 流 程"), 1);
    EXPECT_EQ(coverage({"refund", "程 流"}, "refund 流 程"), 0.5);
    EXPECT_EQ(coverage({}, "x"), 0);
}

}  // namespace
}  // namespace flowspan::knowledge
