#pragma once
// Versions of the app format.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowspan::dsl::detail {

/// Major, minor and patch number.
using Version = std::array<std::uint32_t, 3>;

/// The newest version of the format that is known here.
inline constexpr Version kVersionCurrent = {0, 7, 0};

/// Reads `0.3.1`, `v0.3` or `1.0.0-rc1`; empty if it is no version. What follows the numbers is not
/// looked at beyond its characters.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text) noexcept;

[[nodiscard]] std::string to_string(const Version& version);

}  // namespace flowspan::dsl::detail
