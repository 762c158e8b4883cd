#include "export/shared_texts.hpp"

#include "export/span_record.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::exporting {
namespace {

TEST(SharedTexts, GivesOneNumberToOneText) {
    const auto number = shared_texts::number_of("gen_ai.request.model");
    ASSERT_TRUE(number);
    EXPECT_EQ(shared_texts::text_of(*number), "gen_ai.request.model");
    const auto copy = std::make_unique<std::string>("gen_ai.request.model");
    EXPECT_EQ(shared_texts::number_of(*copy), number);
    EXPECT_NE(shared_texts::number_of("gen_ai.request.mode"), number);
}

TEST(SharedTexts, IsNotFooledByAnAddressThatHoldsAnotherTextNow) {
    std::string buffer = "first.key";
    const auto first = shared_texts::number_of(buffer);
    buffer = "other.key";
    const auto other = shared_texts::number_of(buffer);
    ASSERT_TRUE(first && other);
    EXPECT_NE(*first, *other);
    EXPECT_EQ(shared_texts::text_of(*other), "other.key");
}

TEST(SharedTexts, RefusesWhatIsLongOrNoText) {
    EXPECT_TRUE(shared_texts::number_of(std::string(shared_texts::kBytesMax, 'k')));
    EXPECT_FALSE(shared_texts::number_of(std::string(shared_texts::kBytesMax + 1, 'k')));
    EXPECT_FALSE(shared_texts::number_of(""));
    EXPECT_FALSE(shared_texts::number_of("bad\xFFkey"));
}

std::string key_of(std::size_t thread, int number) {
    return "key." + std::to_string(thread % 2) + "." + std::to_string(number);
}

SpanRecord make_record(std::size_t thread) {
    SpanRecord record;
    record.set_scope("library", "1.0", "https://example.com/schema");
    for (int number = 0; number < 40; ++number) {
        record.set_attribute(key_of(thread, number), std::int64_t{number}, SpanLimits{});
    }
    return record;
}

// Also what other threads named is read.
TEST(SharedTexts, ManyThreadsNameAndReadTheSame) {
    constexpr std::size_t kThreads = 8;
    std::vector<SpanRecord> records(kThreads);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < kThreads; ++i) {
            threads.emplace_back([&records, i] { records[i] = make_record(i); });
        }
    }
    for (std::size_t i = 0; i < kThreads; ++i) {
        EXPECT_EQ(records[i].scope_schema_url(), "https://example.com/schema");
        ASSERT_EQ(records[i].attribute_count(), 40U);
        for (int number = 0; number < 40; ++number) {
            EXPECT_EQ(records[i].integer(key_of(i, number), -1), number);
        }
    }
}

// Last: it fills the table for the rest of the process.
TEST(SharedTextsWhenFull, FurtherKeysStandInTheirSpans) {
    std::size_t added = 0;
    while (shared_texts::number_of("filler." + std::to_string(added))) {
        ASSERT_LE(++added, shared_texts::kCountMax);
    }
    SpanRecord record;
    record.set_attribute("never.seen.before", std::string_view("kept"), SpanLimits{});
    record.set_attribute("never.seen.before", std::string_view("again"), SpanLimits{});
    EXPECT_EQ(record.attribute_count(), 1U);
    EXPECT_EQ(record.text("never.seen.before"), "again");
}

}  // namespace
}  // namespace flowspan::exporting
