#pragma once
// Conditions of if-else, loops and list filters: every operator on every type.

#include "flowspan/value/variable_pool.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::value {

enum class LogicalOperator : std::uint8_t { and_, or_ };

/// Operators as the app format spells them (`contains`, `not contains`, `≥`, ...).
enum class ComparisonOperator : std::uint8_t {
    contains,
    not_contains,
    start_with,
    end_with,
    is,
    is_not,
    empty,
    not_empty,
    equal,
    not_equal,
    greater,
    less,
    greater_or_equal,
    less_or_equal,
    null,
    not_null,
    in,
    not_in,
    all_of,
    exists,
    not_exists,
};

[[nodiscard]] std::string_view to_string(ComparisonOperator op) noexcept;
[[nodiscard]] Result<ComparisonOperator> parse_comparison_operator(std::string_view text);

/// A test on one attribute of every file in a list.
struct SubCondition {
    std::string key;
    ComparisonOperator comparison_operator = ComparisonOperator::contains;
    json::value expected;  ///< text, list of text, bool or null; not resolved as a template
};

struct SubConditions {
    LogicalOperator logical_operator = LogicalOperator::and_;
    std::vector<SubCondition> conditions;
};

struct Condition {
    Selector variable_selector;
    ComparisonOperator comparison_operator = ComparisonOperator::contains;
    json::value expected;  ///< text (a template), list of text, bool or null
    std::optional<SubConditions> sub_conditions;
};

/// What was compared, for the node's records.
struct ConditionInput {
    json::value actual_value;
    json::value expected_value;
    ComparisonOperator comparison_operator = ComparisonOperator::contains;
};

struct ConditionsOutcome {
    bool is_met = false;
    std::vector<ConditionInput> inputs;  ///< of the conditions that were evaluated
    std::vector<bool> results;
};

/// Stops at the first decisive condition. An absent variable and a wrong type are errors.
[[nodiscard]] Result<ConditionsOutcome> evaluate_conditions(
    const VariablePool& pool,
    const std::vector<Condition>& conditions,
    LogicalOperator logical_operator
);

/// One comparison on plain values; `expected` is already resolved.
[[nodiscard]] Result<bool> compare(
    const Value& actual, ComparisonOperator comparison_operator, const json::value& expected
);

/// What is wrong with a condition list, and where: a JSON pointer below the list (`/0/value`).
struct ConditionProblem {
    std::string pointer;
    std::string message;
};

/// Reads a condition list of the app format and adds everything that is wrong with it to
/// `problems`. The result leaves out what could not be read.
[[nodiscard]] std::vector<Condition> parse_conditions(
    const json::value& data, std::vector<ConditionProblem>& problems
);

/// The same, stopping at the first problem. Errors name the place as a JSON pointer below `data`.
[[nodiscard]] Result<std::vector<Condition>> parse_conditions(const json::value& data);
[[nodiscard]] Result<LogicalOperator> parse_logical_operator(std::string_view text);

}  // namespace flowspan::value
