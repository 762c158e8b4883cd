#pragma once
// JSON content as text: without secrets, and cut so that it stays JSON.

#include "flowspan/base/json.hpp"
#include "flowspan/trace/redactor.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace flowspan::trace {

inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

/// Compact JSON of at most `bytes_max` bytes: values of secret keys are replaced, texts are
/// redacted. If it is too long, long texts and then lists are shortened, with marks; the result is
/// always JSON.
[[nodiscard]] std::string content_json(
    const json::value& value, const Redactor& redactor, std::size_t bytes_max
);

/// The head of a text with a mark that says how much is missing.
[[nodiscard]] std::string cut_text(std::string_view text, std::size_t bytes_max);

}  // namespace flowspan::trace
