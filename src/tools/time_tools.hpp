#pragma once
// The built-in provider `time`: the current time, and moments between zones and forms.

#include "flowspan/base/clock.hpp"
#include "tools/tool.hpp"

#include <memory>

namespace flowspan::tools {

/// Tools current_time, localtime_to_timestamp, timestamp_to_localtime, timezone_conversion and
/// weekday. `clock` must outlive them.
[[nodiscard]] std::unique_ptr<ToolProvider> make_time_tools(const Clock& clock);

}  // namespace flowspan::tools
