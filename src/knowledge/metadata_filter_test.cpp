#include "knowledge/metadata_filter.hpp"

#include <gtest/gtest.h>

namespace flowspan::knowledge {
namespace {

TEST(MetadataFilter, KnowsEveryOperator) {
    struct Row {
        std::string_view name;
        std::string_view comparison;
        json::value value;
        bool expected;
    };

    const json::object metadata = {
        {"author", "Ann Lee"}, {"year", 2024}, {"date", "2024-05-01"}, {"blank", ""}
    };
    const std::vector<Row> rows = {
        {"author", "contains", "Lee", true},
        {"author", "not contains", "Lee", false},
        {"author", "start with", "Ann", true},
        {"author", "end with", "Ann", false},
        {"author", "is", "Ann Lee", true},
        {"author", "is not", "Bob", true},
        {"author", "in", "Bob, Ann Lee", true},
        {"author", "in", json::array{"Bob"}, false},
        {"author", "not in", json::array{"Bob"}, true},
        {"year", "=", 2024, true},
        {"year", "=", "2024", true},
        {"year", "≠", 2024.5, true},
        {"year", "<", 2025, true},
        {"year", ">", "300", true},
        {"year", "≤", 2024, true},
        {"year", "≥", 2025, false},
        {"date", "before", "2024-06-01", true},
        {"date", "after", "2024-06-01", false},
        {"blank", "empty", nullptr, true},
        {"gone", "empty", nullptr, true},
        {"author", "not empty", nullptr, true},
        {"gone", "is not", "x", false},
        {"gone", "is", nullptr, true},
    };
    for (const auto& row : rows) {
        MetadataFilter filter;
        filter.conditions.push_back(
            {std::string(row.name), parse_metadata_operator(row.comparison).value(), row.value}
        );
        EXPECT_EQ(matches(filter, metadata), row.expected) << row.name << ' ' << row.comparison;
    }
    EXPECT_FALSE(parse_metadata_operator("like"));
}

TEST(MetadataFilter, JoinsConditionsByAndOrOr) {
    const json::object metadata = {{"a", "1"}};
    MetadataFilter filter{
        {{"a", MetadataOperator::is, "1"}, {"a", MetadataOperator::is, "2"}}, false
    };
    EXPECT_FALSE(matches(filter, metadata));
    filter.is_any = true;
    EXPECT_TRUE(matches(filter, metadata));
    EXPECT_TRUE(matches({}, metadata));
}

}  // namespace
}  // namespace flowspan::knowledge
