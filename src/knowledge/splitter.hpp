#pragma once
// A text becomes segments that are small enough to find and to quote.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::knowledge {

/// In characters (code points).
struct SplitOptions {
    std::size_t size_max = 1000;
    std::size_t overlap = 50;  ///< what a cut inside of a paragraph repeats; less than size_max
};

/// Packs whole paragraphs (between blank lines) as long as they fit; a longer one is cut, best
/// after a line or a sentence, then at a space, then anywhere. Segments are trimmed and not empty.
/// `text` must be valid UTF-8.
[[nodiscard]] std::vector<std::string> split_text(std::string_view text, SplitOptions options);

}  // namespace flowspan::knowledge
