#pragma once
// Texts and questions as the words that an index knows.

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::knowledge {

/// The words of a text in lower case, English endings cut off, one space between them. Scripts
/// without spaces (Chinese, Japanese, Korean) have a word for each character.
[[nodiscard]] std::string index_words(std::string_view text);

/// What of a question is looked for: words, and for scripts without spaces each two neighbouring
/// characters (`报 销`). Very common English words are left out if others remain. Each once, at
/// most 64.
[[nodiscard]] std::vector<std::string> query_terms(std::string_view question);

/// The share of `terms` that stand in `words`, which is a result of index_words(); 0 to 1.
[[nodiscard]] double coverage(const std::vector<std::string>& terms, std::string_view words);

}  // namespace flowspan::knowledge
