#pragma once
// The text of a document, whatever its format.

#include "nodes/document_extractor/document_kind.hpp"
#include "nodes/limits.hpp"

#include <string>
#include <string_view>

namespace flowspan::nodes::document_extractor {

/// Reads `bytes`; may take long, so it belongs on a pool. The text is valid UTF-8. Errors:
/// `invalid_input` for broken or encrypted documents, `limit_exceeded`, `unsupported`; messages
/// start with `Failed to extract text from ...`.
[[nodiscard]] Result<std::string> extract_text(
    DocumentKind kind, std::string_view bytes, const Limits& limits
);

}  // namespace flowspan::nodes::document_extractor
