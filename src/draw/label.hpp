#pragma once
// Texts of an app made fit for a drawing.

#include <cstddef>
#include <string>
#include <string_view>

namespace flowspan::draw {

/// One line: control characters, line breaks and marks that turn the writing direction become
/// spaces, and runs of white space one. What is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string to_single_line(std::string_view text);

/// At most `columns` wide, with an ellipsis where something was cut off.
[[nodiscard]] std::string clip(std::string_view text, std::size_t columns);

/// `{{#node.name#}}` as `{{name}}`, which is what people see in the editor.
[[nodiscard]] std::string shorten_references(std::string_view text);

}  // namespace flowspan::draw
