#include "flowspan/async/runtime.hpp"
#include "tools/time_format.hpp"
#include "tools/time_tools.hpp"
#include "tools/time_zone.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

namespace flowspan::tools {
namespace {

class FixedClock final : public Clock {
public:
    SystemTime system_now() const noexcept override {
        return SystemTime(std::chrono::seconds(1'700'000'000));  // 2023-11-14 22:13:20 UTC
    }

    SteadyTime steady_now() const noexcept override { return {}; }
};

Task<Result<ToolReply>> invoke(const Tool* tool, json::object arguments) {
    const ToolContext context;
    co_return co_await tool->invoke(std::move(arguments), context);
}

TEST(TimeTools, TellAndConvertTimes) {
    struct Row {
        std::string_view tool;
        std::string_view arguments;
        std::string_view expected;  ///< empty: refused
    };

    const Row rows[] = {
        {"current_time", "{}", "2023-11-14 22:13:20"},
        {"current_time", R"({"timezone": "Asia/Tokyo"})", "2023-11-15 07:13:20"},
        {"current_time",
         R"({"format": "%Y/%m/%d %I %p %a %z %Z"})",
         "2023/11/14 10 PM Tue +0000 UTC"},
        {"current_time", R"({"timezone": "../etc/passwd"})", ""},
        {"current_time", R"({"timezone": "Mars/Olympus"})", ""},
        {"localtime_to_timestamp", R"({"localtime": "2024-1-1 0:0:0"})", "1704038400"},
        {"localtime_to_timestamp",
         R"({"localtime": "2024-07-01 12:00:00", "timezone": "Europe/Berlin"})",
         "1719828000"},
        {"localtime_to_timestamp", R"({"localtime": "yesterday"})", ""},
        {"timestamp_to_localtime", R"({"timestamp": 1700000000})", "2023-11-15 06:13:20"},
        {"timestamp_to_localtime",
         R"({"timestamp": "1700000000", "timezone": "America/New_York"})",
         "2023-11-14 17:13:20"},
        {"timestamp_to_localtime", R"({"timestamp": "x"})", ""},
        {"timezone_conversion",
         R"({"current_time": "2024-01-01 08:00:00", "current_timezone": "Asia/Shanghai",
             "target_timezone": "UTC"})",
         "2024-01-01 00:00:00"},
        {"weekday", R"({"year": 2024, "month": 2, "day": 29})", "February 29, 2024 is Thursday."},
        {"weekday", R"({"year": 2023, "month": 2, "day": 29})", ""},
        {"weekday", R"({"year": 2023, "month": 13, "day": 1})", ""},
    };
    async::Runtime runtime;
    const FixedClock clock;
    const auto provider = make_time_tools(clock);
    for (const auto& row : rows) {
        const auto tool =
            provider->find({.provider_id = "langgenius/time/time", .tool = std::string(row.tool)});
        ASSERT_TRUE(tool && *tool) << row.tool;
        const auto reply = runtime.block_on(
            invoke, tool->get(), json::object(parse_json(row.arguments)->get_object())
        );
        if (row.expected.empty()) {
            EXPECT_FALSE(reply) << row.tool << ' ' << row.arguments;
            continue;
        }
        ASSERT_TRUE(reply) << row.tool << ' ' << row.arguments << ' ' << reply.error().full_text();
        ASSERT_EQ(reply->messages.size(), 1U);
        EXPECT_EQ(std::get<TextMessage>(reply->messages[0]).text, row.expected) << row.arguments;
    }
}

TEST(TimeTools, KnowNeitherOtherProvidersNorOtherTools) {
    const FixedClock clock;
    const auto provider = make_time_tools(clock);
    EXPECT_EQ(*provider->find({.provider_id = "clock", .tool = "current_time"}), nullptr);
    EXPECT_EQ(*provider->find({.provider_id = "time", .tool = "stop"}), nullptr);
}

TEST(TimeZone, RefusesBrokenFiles) {
    EXPECT_FALSE(TimeZone::parse(""));
    EXPECT_FALSE(TimeZone::parse("TZif2"));
    std::string claims_much("TZif");
    claims_much.resize(44, '\x7F');
    EXPECT_FALSE(TimeZone::parse(claims_much));
}

}  // namespace
}  // namespace flowspan::tools
