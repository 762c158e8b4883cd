#include "nodes/think_filter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes {
namespace {

// Visible text and thoughts as they were sent, thoughts in brackets.
std::string stream(std::string_view text, std::size_t piece_size) {
    ThinkFilter filter;
    std::string out;
    const auto add = [&out](const std::vector<ThinkFilter::Piece>& pieces) {
        for (const auto& piece : pieces) {
            out += piece.is_thought ? "[" + piece.text + "]" : piece.text;
        }
    };
    for (std::size_t at = 0; at < text.size(); at += piece_size) {
        add(filter.push(text.substr(at, piece_size)));
    }
    add(filter.finish());
    // Neighbouring thoughts are one, however they were cut.
    for (auto at = out.find("]["); at != std::string::npos; at = out.find("][")) {
        out.erase(at, 2);
    }
    return out;
}

TEST(ThinkFilter, GivesTheSameHoweverThePiecesAreCut) {
    struct Case {
        std::string text;
        std::string_view expected;
    };

    const Case cases[] = {
        {"plain", "plain"},
        {"<think>why</think>because", "[why]because"},
        {"\n <THINK type=\"deep\">why</Think >\n because", "[why]because"},
        {"a < b <thinking> c", "a < b <thinking> c"},
        {"a<think>b</think>c<think>d</think>e", "a[b]c[d]e"},
        {"<think>never closed", "[never closed]"},
        {"<think>1 < 2 </thin</think>x", "[1 < 2 </thin]x"},
        {"ends with <thi", "ends with <thi"},
        {"<think " + std::string(600, 'x') + ">y", ""},
    };
    for (const auto& [text, expected] : cases) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
            EXPECT_EQ(stream(text, size), expected.empty() ? text : expected) << size;
        }
    }
}

TEST(SplitAnswer, TrimsAndJoins) {
    const auto split =
        split_answer("<think> a </think>\n\nOne\n \n\n\nTwo\n<think>\nb\n</think>\nThree<think>c");
    EXPECT_EQ(split.text, "One\n\nTwo\n\nThree");
    EXPECT_EQ(split.reasoning, "a\nb\nc");
    EXPECT_EQ(split_answer("  x  ").text, "x");
}

}  // namespace
}  // namespace flowspan::nodes
