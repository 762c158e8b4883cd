#include "export/span_record.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::exporting {
namespace {

TEST(SpanRecord, KeepsKeysThatAreTooLongToBeShared) {
    SpanRecord record;
    const std::string long_key(shared_texts::kBytesMax + 20, 'k');
    record.set_attribute(long_key, std::string_view("one"), SpanLimits{});
    record.set_attribute("short", std::string_view("two"), SpanLimits{});
    record.set_attribute(long_key, std::string_view("three"), SpanLimits{});
    const SpanRecord copy = record;
    EXPECT_EQ(copy.attribute_count(), 2U);
    EXPECT_EQ(copy.text(long_key), "three");
    EXPECT_EQ(copy.text("short"), "two");
}

TEST(SpanRecord, CopyKeepsEventsLinksAndStatusOfItsOwn) {
    SpanRecord record;
    record.set_status(opentelemetry::trace::StatusCode::kError, "broken");
    ASSERT_TRUE(record.begin_event("first", 1, SpanLimits{}));
    record.add_event_attribute("exception.type", std::string_view("Error"), SpanLimits{});
    SpanRecord copy = record;
    ASSERT_TRUE(copy.begin_event("second", 2, SpanLimits{}));
    copy.set_status(opentelemetry::trace::StatusCode::kOk, "");
    EXPECT_EQ(record.event_count(), 1U);
    EXPECT_EQ(record.status_description(), "broken");
    EXPECT_EQ(copy.event_count(), 2U);
    EXPECT_EQ(copy.status_description(), "");
    copy = record;
    EXPECT_EQ(copy.event_count(), 1U);
    std::string type;
    copy.for_each_event_attribute(0, [&type](const AttributeView& attribute) {
        type = std::get<std::string_view>(attribute.value);
    });
    EXPECT_EQ(type, "Error");
}

// Shared keys take no memory of the span, but what is sent of it stays bounded.
TEST(SpanRecord, KeysCountAgainstTheLimitOfASpan) {
    SpanLimits limits;
    limits.span_bytes_max = 100;
    SpanRecord record;
    record.set_attribute(std::string(60, 'a'), std::int64_t{1}, limits);
    record.set_attribute(std::string(60, 'b'), std::int64_t{1}, limits);
    record.set_attribute(std::string(30, 'c'), std::int64_t{1}, limits);
    EXPECT_EQ(record.attribute_count(), 2U);
    EXPECT_EQ(record.dropped_attributes, 1U);
}

}  // namespace
}  // namespace flowspan::exporting
