#pragma once
// How large a value may grow. A loop that appends a variable to itself doubles it in each round;
// without a limit it would take all memory of everybody's runs.

#include "flowspan/base/json.hpp"
#include "flowspan/base/result.hpp"

#include <cstddef>

namespace flowspan::value {

/// Bytes of a value: its texts, and some for each element and member.
inline constexpr std::size_t kValueBytesMax = std::size_t{128} * 1024 * 1024;

/// Bytes of a text that a template gives.
inline constexpr std::size_t kRenderedBytesMax = std::size_t{64} * 1024 * 1024;

/// Error `limit_exceeded` for data that is larger, or nested deeper than kJsonDepthMax. Takes time
/// in proportion to the number of elements, not to the length of texts.
[[nodiscard]] Result<void> check_limits(
    const json::value& data, std::size_t bytes_max = kValueBytesMax
);

}  // namespace flowspan::value
