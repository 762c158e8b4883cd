#pragma once
// Dates as text by strftime's directives, for any zone.

#include "tools/time_zone.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace flowspan::tools {

/// What clocks of a zone show.
struct LocalTime {
    std::int64_t seconds = 0;  ///< since 1970-01-01 00:00 of the zone's own clocks
    std::int64_t microseconds = 0;
    std::int64_t offset_seconds = 0;
    std::string abbreviation = {};
};

[[nodiscard]] LocalTime to_local(const TimeZone& zone, std::int64_t utc_seconds);

/// Directives a A w d b B m y Y H I p M S f z Z j c x X D F T R s %; unknown ones stay as they are.
[[nodiscard]] std::string format_time(const LocalTime& time, std::string_view format);

/// Seconds of the clock that `text` names. Directives Y y m d H I M S f p b B j F T D z-less and
/// literal text. Error `invalid_input`.
[[nodiscard]] Result<std::int64_t> parse_time(std::string_view text, std::string_view format);

}  // namespace flowspan::tools
