#pragma once
// Checks what a user's program returned against the outputs that its node declares.

#include "dsl/data_reader.hpp"
#include "flowspan/value/value.hpp"
#include "nodes/limits.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes::code {

/// A declared output, or a member of a declared object.
struct OutputField {
    std::string name;
    value::ValueType type = value::ValueType::string;
    /// Of object and array[object]; empty optional: anything goes.
    std::optional<std::vector<OutputField>> children;
};

/// Reads a mapping of names to `{type, children}`.
[[nodiscard]] std::vector<OutputField> read_output_fields(
    const dsl::DataReader& reader, std::string_view key
);

/// The declared members of `result` in order, with texts and numbers made fit. Errors have the
/// types `OutputValidationError`, `DepthLimitError` and `CodeNodeError`.
[[nodiscard]] Result<json::object> check_outputs(
    const json::object& result, const std::vector<OutputField>& fields, const Limits& limits
);

}  // namespace flowspan::nodes::code
