// Compares arbitrary values with every operator: an answer or a reason, and an operator and its
// negation never agree. The first byte chooses the operator; then come the actual value, the
// expected value and a list of conditions, a line each, as JSON or else as text.

#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/value/condition.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using namespace flowspan;
using value::ComparisonOperator;

constexpr auto kOperators = static_cast<unsigned>(ComparisonOperator::not_exists) + 1;

json::value read(std::string_view line) {
    auto parsed = parse_json(line);
    return parsed ? *std::move(parsed) : json::value(json::string(to_valid_utf8(line)));
}

/// Pairs of which exactly one is true, whatever is compared.
bool are_opposites(ComparisonOperator a, ComparisonOperator b) {
    using enum ComparisonOperator;
    return (a == contains && b == not_contains) || (a == empty && b == not_empty) ||
           (a == in && b == not_in) || (a == null && b == not_null) ||
           (a == exists && b == not_exists);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto lines = split({reinterpret_cast<const char*>(data) + 1, size - 1}, '\n');
    const value::Value actual(read(lines[0]));
    const auto expected = lines.size() > 1 ? read(lines[1]) : json::value();
    const auto op = static_cast<ComparisonOperator>(data[0] % kOperators);
    const auto negated = static_cast<ComparisonOperator>((data[0] + 1) % kOperators);
    const auto met = value::compare(actual, op, expected);
    const auto opposite = value::compare(actual, negated, expected);
    if (are_opposites(op, negated)) {
        FLOWSPAN_ASSERT(met.has_value() == opposite.has_value(), "only one of a pair fails");
        FLOWSPAN_ASSERT(!met || *met != *opposite, "an operator agrees with its negation");
    }
    if (!met) {
        FLOWSPAN_ASSERT(!met.error().message.empty(), "no reason");
    }
    std::vector<value::ConditionProblem> problems;
    const auto conditions =
        value::parse_conditions(lines.size() > 2 ? read(lines[2]) : json::value(), problems);
    value::VariablePool pool;
    pool.set("n", "x", actual);
    pool.set("n", "y", value::Value(expected));
    for (const auto word : {value::LogicalOperator::and_, value::LogicalOperator::or_}) {
        const auto outcome = value::evaluate_conditions(pool, conditions, word);
        FLOWSPAN_ASSERT(
            !outcome || outcome->results.size() <= conditions.size(), "more results than conditions"
        );
    }
    return 0;
}
