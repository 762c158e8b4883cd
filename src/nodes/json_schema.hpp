#pragma once
// JSON Schema (Draft 7), compiled once and checked often. Remote references are refused.

#include "flowspan/base/json.hpp"

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>

namespace flowspan::nodes {

/// Longest text that is matched against a schema's `pattern`: the matcher recurses once a
/// character.
inline constexpr std::size_t kPatternSubjectMax = 4096;

/// What is wrong with a document (or with a schema), and where: `$.items[0].name`. The reason holds
/// names of properties, but no values of the document.
struct SchemaMismatch {
    std::string path;
    std::string reason;
};

class JsonSchema {
public:
    [[nodiscard]] static std::expected<JsonSchema, SchemaMismatch> compile(const json::value& schema
    );

    /// The innermost mismatch; empty if the document fits.
    [[nodiscard]] std::optional<SchemaMismatch> find_mismatch(const json::value& document) const;

private:
    struct Compiled;

    explicit JsonSchema(std::shared_ptr<const Compiled> compiled);

    // Owners: all copies of this schema; it never changes.
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace flowspan::nodes
