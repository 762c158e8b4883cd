#pragma once
// Formats that are text already and only want another shape. All take valid UTF-8.

#include "flowspan/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes::document_extractor {

/// Indented by two; invalid JSON is an error.
[[nodiscard]] Result<std::string> read_json(std::string_view text);

/// Every document in block style, without comments; aliases stay aliases.
[[nodiscard]] Result<std::string> read_yaml(std::string_view text);

/// `key: value` lines; comments and empty lines stay.
[[nodiscard]] std::string read_properties(std::string_view text);

/// A markdown table; line breaks in cells become spaces.
[[nodiscard]] std::string read_csv(std::string_view text);

/// `Speaker "text"` lines; what one speaker says in a row is one line.
[[nodiscard]] std::string read_captions(std::string_view text);

/// `| a | b |` and a line break.
void append_table_row(std::string& out, const std::vector<std::string>& cells);

/// The line under a table's header: as many dashes as the header has characters.
void append_table_rule(std::string& out, const std::vector<std::string>& header);

/// Lines without their ends; knows `\n`, `\r\n` and `\r`.
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace flowspan::nodes::document_extractor
