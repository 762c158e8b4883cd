#include "tools/time_tools.hpp"

#include "flowspan/async/pools.hpp"
#include "flowspan/value/value.hpp"
#include "tools/time_format.hpp"
#include "tools/time_zone.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace flowspan::tools {

namespace {

constexpr std::string_view kTimeFormat = "%Y-%m-%d %H:%M:%S";

// An argument as text; the fallback if it is absent, null or empty.
std::string text_of(
    const json::object& arguments, std::string_view name, std::string_view fallback
) {
    const auto* value = arguments.if_contains(name);
    auto text = value == nullptr || value->is_null() ? std::string() : value::python_str(*value);
    return text.empty() ? std::string(fallback) : text;
}

std::unexpected<Error> invalid(std::string message) {
    return failure(Error(ErrorCode::invalid_input, std::move(message)));
}

Result<std::int64_t> integer_of(const json::object& arguments, std::string_view name) {
    const auto* value = arguments.if_contains(name);
    const ToolParameter parameter{.name = std::string(name), .type = ParameterType::number};
    FLOWSPAN_TRY(
        const auto number, cast_argument(parameter, value == nullptr ? json::value() : *value)
    );
    return number.is_int64() ? number.get_int64()
                             : static_cast<std::int64_t>(number.to_number<double>());
}

// Each works on arguments and the current moment and gives the text that the tool says.
using TimeFunction = Result<std::string> (*)(const json::object& arguments, SystemTime now);

Result<std::string> current_time(const json::object& arguments, SystemTime now) {
    FLOWSPAN_TRY(const auto zone, TimeZone::load(text_of(arguments, "timezone", "UTC")));
    const auto micros =
        std::chrono::floor<std::chrono::microseconds>(now).time_since_epoch().count();
    constexpr std::int64_t kMicros = 1'000'000;
    auto local = to_local(zone, micros / kMicros);
    local.microseconds = micros % kMicros;
    return format_time(local, text_of(arguments, "format", kTimeFormat));
}

Result<std::string> localtime_to_timestamp(const json::object& arguments, SystemTime /*now*/) {
    FLOWSPAN_TRY(const auto zone, TimeZone::load(text_of(arguments, "timezone", "Asia/Shanghai")));
    FLOWSPAN_TRY(const auto local, parse_time(text_of(arguments, "localtime", ""), kTimeFormat));
    return std::to_string(zone.to_utc(local));
}

Result<std::string> timestamp_to_localtime(const json::object& arguments, SystemTime /*now*/) {
    FLOWSPAN_TRY(const auto zone, TimeZone::load(text_of(arguments, "timezone", "Asia/Shanghai")));
    FLOWSPAN_TRY(const auto timestamp, integer_of(arguments, "timestamp"));
    return format_time(to_local(zone, timestamp), kTimeFormat);
}

Result<std::string> timezone_conversion(const json::object& arguments, SystemTime /*now*/) {
    FLOWSPAN_TRY(
        const auto from, TimeZone::load(text_of(arguments, "current_timezone", "Asia/Shanghai"))
    );
    FLOWSPAN_TRY(
        const auto to, TimeZone::load(text_of(arguments, "target_timezone", "Asia/Tokyo"))
    );
    FLOWSPAN_TRY(const auto local, parse_time(text_of(arguments, "current_time", ""), kTimeFormat));
    return format_time(to_local(to, from.to_utc(local)), kTimeFormat);
}

Result<std::string> weekday(const json::object& arguments, SystemTime now) {
    const auto today = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now));
    const auto read = [&](std::string_view name, std::int64_t fallback) -> Result<std::int64_t> {
        return text_of(arguments, name, "").empty() ? Result<std::int64_t>(fallback)
                                                    : integer_of(arguments, name);
    };
    FLOWSPAN_TRY(const auto year, read("year", static_cast<int>(today.year())));
    FLOWSPAN_TRY(const auto month, read("month", static_cast<unsigned>(today.month())));
    FLOWSPAN_TRY(const auto day, read("day", static_cast<unsigned>(today.day())));
    constexpr std::int64_t kYearMax = 9999;
    const bool is_in_range =
        year >= 1 && year <= kYearMax && month >= 1 && month <= 12 && day >= 1 && day <= 31;
    if (!is_in_range) {
        return invalid("Invalid date: Year, month, and day are out of range.");
    }
    FLOWSPAN_TRY(
        const auto moment,
        parse_time(fmt::format("{:04}-{:02}-{:02}", year, month, day), "%Y-%m-%d")
    );
    return format_time({.seconds = moment}, "%B " + std::to_string(day) + ", %Y is %A.");
}

struct TimeFunctionEntry {
    std::string_view name;
    std::string_view text;
    TimeFunction function;
    std::vector<ToolParameter> (*parameters)();
};

ToolParameter text_parameter(std::string name, std::string description, bool is_required) {
    return {
        .name = std::move(name),
        .description = std::move(description),
        .is_required = is_required,
    };
}

ToolParameter number_parameter(std::string name, std::string description, bool is_required) {
    auto parameter = text_parameter(std::move(name), std::move(description), is_required);
    parameter.type = ParameterType::number;
    return parameter;
}

const std::array<TimeFunctionEntry, 5>& functions() {
    static const std::array<TimeFunctionEntry, 5> kFunctions = {{
        {"current_time",
         "Tells the current time.",
         current_time,
         [] {
             return std::vector{
                 text_parameter("format", "strftime format, such as %Y-%m-%d %H:%M:%S", false),
                 text_parameter("timezone", "such as UTC or Asia/Shanghai", false)
             };
         }},
        {"localtime_to_timestamp",
         "Turns a local time into seconds since 1970 UTC.",
         localtime_to_timestamp,
         [] {
             return std::vector{
                 text_parameter("localtime", "such as 2024-1-1 0:0:0", true),
                 text_parameter("timezone", "such as Asia/Shanghai", false)
             };
         }},
        {"timestamp_to_localtime",
         "Turns seconds since 1970 UTC into a local time.",
         timestamp_to_localtime,
         [] {
             return std::vector{
                 number_parameter("timestamp", "seconds since 1970 UTC", true),
                 text_parameter("timezone", "such as Asia/Shanghai", false)
             };
         }},
        {"timezone_conversion",
         "Turns the time of one zone into that of another.",
         timezone_conversion,
         [] {
             return std::vector{
                 text_parameter("current_time", "such as 2024-1-1 0:0:0", true),
                 text_parameter("current_timezone", "such as Asia/Shanghai", true),
                 text_parameter("target_timezone", "such as Asia/Tokyo", true)
             };
         }},
        {"weekday",
         "Tells the day of the week of a date.",
         weekday,
         [] {
             return std::vector{
                 number_parameter("year", "four digits", false),
                 number_parameter("month", "1 to 12", false),
                 number_parameter("day", "1 to 31", false)
             };
         }},
    }};
    return kFunctions;
}

class TimeTool final : public Tool {
public:
    TimeTool(ToolRef ref, const TimeFunctionEntry& entry, const Clock& clock)
        : entry_(entry), clock_(clock) {
        description_.ref = std::move(ref);
        description_.text = entry.text;
        description_.parameters = entry.parameters();
    }

    const ToolDescription& description() const noexcept override { return description_; }

    Task<Result<ToolReply>> invoke(json::object arguments, const ToolContext& /*context*/)
        const override {
        // Zones are files.
        const auto now = clock_.system_now();
        const auto function = entry_.function;
        FLOWSPAN_CO_TRY(auto text, co_await async::on_blocking([&arguments, now, function] {
                            return function(arguments, now);
                        }));
        ToolReply reply;
        reply.messages.emplace_back(TextMessage{std::move(text)});
        co_return reply;
    }

private:
    const TimeFunctionEntry& entry_;
    const Clock& clock_;
    ToolDescription description_;
};

class TimeTools final : public ToolProvider {
public:
    explicit TimeTools(const Clock& clock) : clock_(clock) {}

    Result<std::unique_ptr<const Tool>> find(const ToolRef& ref) const override {
        constexpr std::string_view kLongName = "langgenius/time/time";
        const auto is_time = [&](std::string_view name) {
            return name == "time" || name == kLongName;
        };
        if (!is_time(ref.provider_id) && !is_time(ref.provider_name)) {
            return nullptr;
        }
        for (const auto& entry : functions()) {
            if (entry.name == ref.tool) {
                return std::make_unique<TimeTool>(ref, entry, clock_);
            }
        }
        return nullptr;
    }

private:
    const Clock& clock_;
};

}  // namespace

std::unique_ptr<ToolProvider> make_time_tools(const Clock& clock) {
    return std::make_unique<TimeTools>(clock);
}

}  // namespace flowspan::tools
