#pragma once
// YAML text to JSON with the place of every part; the only file that knows the YAML library.

#include "dsl/app.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace flowspan::dsl::detail {

/// Aliases may repeat what their anchors hold up to this size, counted in bytes of text plus 16 for
/// each value; a few lines could otherwise stand for gigabytes.
inline constexpr std::size_t kAliasSizeMax = std::size_t{16} * 1024 * 1024;

struct Document {
    json::value data;
    PositionMap positions;
};

/// Reads one document; empty if it cannot be read, with the reasons in `problems`. Problems beside
/// a document (a tag, for example) are errors too, after which reading could go on. `text` must be
/// valid UTF-8 without a byte order mark.
[[nodiscard]] std::optional<Document> parse_yaml(
    std::string_view text, std::vector<Problem>& problems
);

}  // namespace flowspan::dsl::detail
