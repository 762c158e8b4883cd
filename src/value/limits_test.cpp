#include "flowspan/value/limits.hpp"

#include "flowspan/value/text_template.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace flowspan::value {
namespace {

TEST(ValueLimits, CountTextsElementsAndNames) {
    const json::value data = parse_json(R"({"name": ["12345678", 1, null]})").value();
    // The mapping, its name, the list, a text of eight bytes, two more elements.
    constexpr std::size_t kSize = 16 + 4 + 16 + 24 + 16 + 16;
    EXPECT_TRUE(check_limits(data, kSize));
    const auto beyond = check_limits(data, kSize - 1);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, ErrorCode::limit_exceeded);
    EXPECT_EQ(beyond.error().message, "the value is larger than 91 bytes");
    EXPECT_TRUE(check_limits(json::value()));
}

TEST(ValueLimits, StopAtTheDepthThatEveryoneCanWalk) {
    json::value data = "x";
    for (std::size_t i = 0; i < kJsonDepthMax; ++i) {
        data = json::array{std::move(data)};
    }
    EXPECT_TRUE(check_limits(data));
    data = json::array{std::move(data)};
    const auto beyond = check_limits(data);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().message, "the value is nested deeper than 256 levels");
}

TEST(ValueLimits, EndATemplateThatWouldTakeAllMemory) {
    VariablePool pool;
    pool.set("n", "x", Value::string(std::string(std::size_t{8} << 20, 'x')));
    std::string source;
    for (int i = 0; i < 8; ++i) {
        source += "{{#n.x#}}";
    }
    EXPECT_EQ(TextTemplate(source).to_text(pool).size(), kRenderedBytesMax);
    EXPECT_THROW(static_cast<void>(TextTemplate(source + ".").to_text(pool)), std::length_error);
}

}  // namespace
}  // namespace flowspan::value
