#pragma once
// What an assigner can do to a variable, and on which types.

#include "flowspan/value/value.hpp"

#include <cstdint>
#include <string_view>

namespace flowspan::nodes::assigner {

enum class Operation : std::uint8_t {
    over_write,
    clear,
    append,
    extend,
    set,
    add,
    subtract,
    multiply,
    divide,
    remove_first,
    remove_last,
};

enum class InputType : std::uint8_t { variable, constant };

[[nodiscard]] std::string_view to_string(Operation operation
) noexcept;  ///< `over-write`, `+=`, ...

/// True for the operations that take no value.
[[nodiscard]] bool needs_no_value(Operation operation) noexcept;

[[nodiscard]] bool is_supported(Operation operation, value::ValueType target) noexcept;
[[nodiscard]] bool is_supported(
    InputType input, Operation operation, value::ValueType target
) noexcept;

/// The target's next value. Types do not change, except that a number may become a float. Error
/// `invalid_input` (`Invalid input value`) if `input` does not fit.
[[nodiscard]] Result<value::Value> apply(
    Operation operation, const value::Value& target, const json::value& input
);

}  // namespace flowspan::nodes::assigner
