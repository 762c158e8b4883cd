#pragma once
// Retrieved documents as text for a prompt and as citations for the reader.

#include "flowspan/base/json.hpp"
#include "flowspan/value/value.hpp"

#include <string>
#include <vector>

namespace flowspan::nodes::llm {

struct RetrievedContext {
    std::string text;
    json::array citations;
    std::vector<json::value> files;  ///< attachments of the documents
    bool should_report = false;      ///< false for types that cannot be a context
};

/// Error `invalid_input`, type `InvalidContextStructureError`, for a list item without content.
[[nodiscard]] Result<RetrievedContext> read_context(const value::Value& value);

/// The text of list items: texts as they are, mappings by `summary` and `content`, one a line.
[[nodiscard]] Result<std::string> join_context_items(const json::array& items);

}  // namespace flowspan::nodes::llm
