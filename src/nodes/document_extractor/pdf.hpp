#pragma once
// PDF documents.

#include "flowspan/base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace flowspan::nodes::document_extractor {

/// The pages' texts, one right after the other. Stops with `limit_exceeded` beyond `text_max`
/// bytes.
[[nodiscard]] Result<std::string> read_pdf(std::string_view bytes, std::size_t text_max);

}  // namespace flowspan::nodes::document_extractor
