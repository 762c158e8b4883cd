#pragma once
// Text helpers that know UTF-8.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan {

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// Invalid sequences and surrogates become U+FFFD. Returns a copy; valid text is copied unchanged.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

/// Number of code points, as Python's `len` counts. `text` must be valid UTF-8.
[[nodiscard]] std::size_t count_code_points(std::string_view text) noexcept;

/// The longest prefix of at most `bytes_max` bytes that does not cut a code point.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept;

/// The prefix of at most `count` code points.
[[nodiscard]] std::string_view code_point_prefix(std::string_view text, std::size_t count) noexcept;

/// Without ASCII white space at both ends.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// ASCII lower case.
[[nodiscard]] std::string to_lower_ascii(std::string_view text);
[[nodiscard]] bool equals_ignore_case(std::string_view a, std::string_view b) noexcept;

/// Pieces between separators; an empty text gives one empty piece.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// Columns a terminal needs for `text` (wide East Asian and emoji count two, combining none).
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

/// `1 span`, `2,000 spans`: for nouns that take an s.
[[nodiscard]] std::string count_text(std::int64_t count, std::string_view noun);

/// With a comma every three digits.
[[nodiscard]] std::string number_text(std::int64_t number);

}  // namespace flowspan
