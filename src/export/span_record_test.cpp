#include "export/span_record.hpp"

#include <gtest/gtest.h>

namespace flowspan::exporting {
namespace {

TEST(SpanRecord, LastWriteOfAKeyWins) {
    SpanRecord record;
    const SpanLimits limits;
    record.set_attribute("a", std::int64_t{1}, limits);
    record.set_attribute("b", std::string_view("x"), limits);
    record.set_attribute("a", std::string_view("two"), limits);
    EXPECT_EQ(record.attribute_count(), 2U);
    EXPECT_EQ(record.text("a"), "two");
}

}  // namespace
}  // namespace flowspan::exporting
