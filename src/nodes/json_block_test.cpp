#include "nodes/json_block.hpp"

#include <gtest/gtest.h>

namespace flowspan::nodes {
namespace {

TEST(JsonBlock, CutsAtTheFirstMarkAndTheLast) {
    struct Row {
        std::string_view text;
        std::optional<std::string_view> block;
    };

    const Row rows[] = {
        {"```json\n{\"a\": 1}\n```", R"({"a": 1})"},
        {"Sure:\n```\n[1]\n```\nDone", "[1]"},
        {"`{\"a\": 1}`", R"({"a": 1})"},
        {"It is {\"a\": {\"b\": 1}} I think", R"({"a": {"b": 1}})"},
        {"list [1, 2] end", "[1, 2]"},
        {"```json\n{\"a\": 1}", R"({"a": 1})"},
        {"nothing", std::nullopt},
        {"{ open", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(find_json_block(row.text), row.block) << row.text;
    }
}

}  // namespace
}  // namespace flowspan::nodes
