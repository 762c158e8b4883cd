#pragma once
// Texts that come again with every span, each kept once for the whole process.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flowspan::exporting::shared_texts {

/// Longer texts are not shared.
inline constexpr std::size_t kBytesMax = 128;
/// A program that makes up keys must not fill the memory with them.
inline constexpr std::size_t kCountMax = 4096;

/// The number of a text, the same for all threads and until the process ends. Nothing if it is too
/// long, not valid UTF-8, or one too many.
[[nodiscard]] std::optional<std::uint32_t> number_of(std::string_view text);

/// `number` is one that number_of() gave.
[[nodiscard]] std::string_view text_of(std::uint32_t number) noexcept;

}  // namespace flowspan::exporting::shared_texts
