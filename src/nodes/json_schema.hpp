#pragma once
// JSON Schema (Draft 7), compiled once and checked often. Remote references are refused.

#include "flowspan/base/json.hpp"

#include <cstddef>
#include <memory>

namespace flowspan::nodes {

/// Longest text that is matched against a schema's `pattern`: the matcher recurses once a
/// character.
inline constexpr std::size_t kPatternSubjectMax = 4096;

class JsonSchema {
public:
    /// Error `invalid_input`: message `path=<place in the schema>: <reason>`.
    [[nodiscard]] static Result<JsonSchema> compile(const json::value& schema);

    /// Error `invalid_input`: message `path=$.items[0]: <reason>` of the innermost mismatch. It
    /// holds names of properties, but no values of the document.
    [[nodiscard]] Result<void> validate(const json::value& document) const;

private:
    struct Compiled;

    explicit JsonSchema(std::shared_ptr<const Compiled> compiled);

    // Owners: all copies of this schema; it never changes.
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace flowspan::nodes
