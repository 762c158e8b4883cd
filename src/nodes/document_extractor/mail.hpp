#pragma once
// E-mail messages: .eml (RFC 5322 with MIME).

#include "flowspan/base/result.hpp"

#include <string>
#include <string_view>

namespace flowspan::nodes::document_extractor {

/// The paragraphs of the body, one a line: of the plain text if there is some, else of the HTML.
/// Attachments are left out.
[[nodiscard]] Result<std::string> read_mail(std::string_view bytes);

}  // namespace flowspan::nodes::document_extractor
