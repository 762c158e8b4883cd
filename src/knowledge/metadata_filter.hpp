#pragma once
// Conditions on documents' metadata.

#include "flowspan/base/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::knowledge {

enum class MetadataOperator : std::uint8_t {
    contains,
    not_contains,
    start_with,
    end_with,
    is,
    is_not,
    empty,
    not_empty,
    before,
    after,
    at_most,
    at_least,
    in,
    not_in,
};

/// Reads `contains`, `is`, `=`, `before`, `<`, `≤`, ... Error `invalid_input` for other words.
[[nodiscard]] Result<MetadataOperator> parse_metadata_operator(std::string_view text);

struct MetadataCondition {
    std::string name;
    MetadataOperator comparison = MetadataOperator::is;
    /// Text, number or list of text; null skips the condition unless it asks for emptiness.
    json::value value;
};

/// No conditions: every document.
struct MetadataFilter {
    std::vector<MetadataCondition> conditions;
    bool is_any = false;  ///< one that holds is enough
};

[[nodiscard]] bool matches(const MetadataFilter& filter, const json::object& metadata);

}  // namespace flowspan::knowledge
