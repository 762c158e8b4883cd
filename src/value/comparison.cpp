// One comparison: every operator of the app format on every type, with Python's idea of equality
// and truth.

#include "flowspan/base/text.hpp"
#include "flowspan/value/condition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <compare>
#include <memory>
#include <system_error>

namespace flowspan::value {

namespace {

using Op = ComparisonOperator;

constexpr std::array<std::pair<Op, std::string_view>, 21> kOperatorNames = {{
    {Op::contains, "contains"},
    {Op::not_contains, "not contains"},
    {Op::start_with, "start with"},
    {Op::end_with, "end with"},
    {Op::is, "is"},
    {Op::is_not, "is not"},
    {Op::empty, "empty"},
    {Op::not_empty, "not empty"},
    {Op::equal, "="},
    {Op::not_equal, "\u2260"},
    {Op::greater, ">"},
    {Op::less, "<"},
    {Op::greater_or_equal, "\u2265"},
    {Op::less_or_equal, "\u2264"},
    {Op::null, "null"},
    {Op::not_null, "not null"},
    {Op::in, "in"},
    {Op::not_in, "not in"},
    {Op::all_of, "all of"},
    {Op::exists, "exists"},
    {Op::not_exists, "not exists"},
}};

std::unexpected<Error> invalid_actual(std::string_view wanted) {
    return failure(ErrorCode::type_mismatch, fmt::format("Invalid actual value type: {}", wanted));
}

std::unexpected<Error> invalid_expected(std::string_view wanted) {
    return failure(
        ErrorCode::type_mismatch, fmt::format("Invalid expected value type: {}", wanted)
    );
}

// The value itself may be a user's text, so it is detail, not message.
std::unexpected<Error> not_a_number(const json::value& expected, std::string_view wanted) {
    return failure(Error(
                       ErrorCode::type_mismatch,
                       fmt::format("Cannot convert the expected value to {}", wanted)
    )
                       .with_detail(python_repr(expected)));
}

// As Python's float(text): white space around it, a plus sign, inf and nan are fine.
std::optional<double> parse_float(std::string_view text) noexcept {
    text = trim(text);
    if (text.starts_with('+') && !text.substr(1).starts_with('-')) {
        text.remove_prefix(1);
    }
    double number = 0;
    const auto* end = std::to_address(text.end());
    const auto parsed = std::from_chars(std::to_address(text.begin()), end, number);
    if (parsed.ptr != end || text.empty() || text.find('(') != std::string_view::npos) {
        return std::nullopt;
    }
    if (parsed.ec == std::errc::result_out_of_range) {
        // Too large or too small for a double: Python gives an infinity or zero.
        const bool is_tiny = text.find("e-") != std::string_view::npos ||
                             text.find("E-") != std::string_view::npos || text.starts_with("0.") ||
                             text.starts_with("-0.");
        number = is_tiny ? 0.0 : HUGE_VAL;
        return text.starts_with('-') ? -number : number;
    }
    return parsed.ec == std::errc() ? std::optional(number) : std::nullopt;
}

struct ParsedInteger {
    std::int64_t number = 0;
    bool is_out_of_range = false;
};

std::optional<ParsedInteger> parse_integer(std::string_view text) noexcept {
    text = trim(text);
    if (text.starts_with('+') && !text.substr(1).starts_with('-')) {
        text.remove_prefix(1);
    }
    ParsedInteger result;
    const auto* end = std::to_address(text.end());
    const auto parsed = std::from_chars(std::to_address(text.begin()), end, result.number);
    if (parsed.ptr != end || text.empty() || parsed.ec == std::errc::invalid_argument) {
        return std::nullopt;
    }
    result.is_out_of_range = parsed.ec == std::errc::result_out_of_range;
    return result;
}

bool is_member(const json::array& items, const json::value& wanted) {
    return std::ranges::any_of(items, [&wanted](const json::value& item) {
        return python_equal(item, wanted);
    });
}

bool has_part(std::string_view text, std::string_view part) noexcept {
    return text.find(part) != std::string_view::npos;
}

Result<bool> is_contained(const json::value& actual, const json::value& expected) {
    if (!python_truth(actual)) {
        return false;
    }
    if (actual.is_string()) {
        return expected.is_string() ? has_part(actual.get_string(), expected.get_string())
                                    : has_part(actual.get_string(), python_str(expected));
    }
    if (actual.is_array()) {
        return is_member(actual.get_array(), expected);
    }
    return invalid_actual("string or array");
}

Result<bool> has_affix(const json::value& actual, const json::value& expected, Op op) {
    if (!python_truth(actual)) {
        return false;
    }
    if (!actual.is_string()) {
        return invalid_actual("string");
    }
    if (!expected.is_string()) {
        return invalid_expected("string");
    }
    const std::string_view text = actual.get_string();
    const std::string_view affix = expected.get_string();
    return op == Op::start_with ? text.starts_with(affix) : text.ends_with(affix);
}

Result<bool> is_same(const json::value& actual, const json::value& expected, Op op) {
    if (actual.is_null()) {
        return false;
    }
    if (!actual.is_string() && !actual.is_bool()) {
        return invalid_actual("string or boolean");
    }
    return python_equal(actual, expected) == (op == Op::is);
}

Result<bool> equals_integer(const json::value& actual, const json::value& expected) {
    if (expected.is_string()) {
        const auto parsed = parse_integer(expected.get_string());
        if (!parsed) {
            return not_a_number(expected, "integer");
        }
        return !parsed->is_out_of_range && python_equal(actual, json::value(parsed->number));
    }
    if (expected.is_double()) {
        if (!std::isfinite(expected.get_double())) {
            return not_a_number(expected, "integer");
        }
        return python_equal(actual, json::value(std::trunc(expected.get_double())));
    }
    if (expected.is_bool() || expected.is_int64() || expected.is_uint64()) {
        return python_equal(actual, expected);
    }
    return not_a_number(expected, "integer");
}

Result<bool> equals_float(const json::value& actual, const json::value& expected) {
    if (expected.is_string()) {
        const auto parsed = parse_float(expected.get_string());
        if (!parsed) {
            return not_a_number(expected, "number");
        }
        return actual.get_double() == *parsed;
    }
    if (expected.is_bool() || expected.is_number()) {
        return python_equal(actual, expected);
    }
    return not_a_number(expected, "number");
}

Result<bool> equals(const json::value& actual, const json::value& expected, Op op) {
    if (actual.is_null()) {
        return false;
    }
    Result<bool> is_equal = false;
    if (actual.is_bool()) {
        is_equal = actual.get_bool() == python_truth(expected);
    } else if (actual.is_double()) {
        is_equal = equals_float(actual, expected);
    } else if (actual.is_int64() || actual.is_uint64()) {
        is_equal = equals_integer(actual, expected);
    } else {
        return invalid_actual("number or boolean");
    }
    if (is_equal) {
        return *is_equal == (op == Op::equal);
    }
    return is_equal;
}

// An int64 against a double without rounding the integer first.
std::partial_ordering order(std::int64_t integer, double real) noexcept {
    if (std::isnan(real)) {
        return std::partial_ordering::unordered;
    }
    if (real >= 0x1p63) {
        return std::partial_ordering::less;
    }
    if (real < -0x1p63) {
        return std::partial_ordering::greater;
    }
    const double whole = std::floor(real);
    const auto by_whole = integer <=> static_cast<std::int64_t>(whole);
    return by_whole == std::strong_ordering::equal && real > whole ? std::partial_ordering::less
                                                                   : by_whole;
}

// A number as either of the two; `integer` is valid unless `is_float`.
struct Operand {
    bool is_float = false;
    std::int64_t integer = 0;
    double real = 0;
};

std::optional<Operand> to_operand(const json::value& data) noexcept {
    switch (data.kind()) {
        case json::kind::bool_:
            return Operand{.integer = data.get_bool() ? 1 : 0};
        case json::kind::int64:
            return Operand{.integer = data.get_int64()};
        case json::kind::uint64:
            return Operand{.is_float = true, .real = static_cast<double>(data.get_uint64())};
        case json::kind::double_:
            return Operand{.is_float = true, .real = data.get_double()};
        case json::kind::string: {
            const std::string_view text = data.get_string();
            if (const auto integer = parse_integer(text); integer && !integer->is_out_of_range) {
                return Operand{.integer = integer->number};
            }
            const auto real = parse_float(text);
            return real ? std::optional(Operand{.is_float = true, .real = *real}) : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

std::partial_ordering order(const Operand& a, const Operand& b) noexcept {
    if (!a.is_float) {
        return b.is_float ? order(a.integer, b.real)
                          : std::partial_ordering(a.integer <=> b.integer);
    }
    return b.is_float ? a.real <=> b.real : 0 <=> order(b.integer, a.real);
}

Result<bool> is_ordered(const json::value& actual, const json::value& expected, Op op) {
    if (actual.is_null()) {
        return false;
    }
    if (!actual.is_number() && !actual.is_bool()) {
        return invalid_actual("number");
    }
    const auto left = to_operand(actual);
    const auto right = to_operand(expected);
    if (!left || !right) {
        return not_a_number(expected, "number");
    }
    const auto ordering = order(*left, *right);
    switch (op) {
        case Op::greater:
            return std::is_gt(ordering);
        case Op::less:
            return std::is_lt(ordering);
        case Op::greater_or_equal:
            return std::is_gteq(ordering);
        default:
            return std::is_lteq(ordering);
    }
}

Result<bool> is_in(const json::value& actual, const json::value& expected, Op op) {
    if (!python_truth(actual)) {
        return op == Op::not_in;
    }
    if (!expected.is_array()) {
        return invalid_expected("array");
    }
    return is_member(expected.get_array(), actual) == (op == Op::in);
}

Result<bool> has_all(const json::value& actual, const json::value& expected) {
    if (!expected.is_array()) {
        return invalid_expected("array");
    }
    const auto& wanted = expected.get_array();
    const auto is_text = [](const json::value& item) { return item.is_string(); };
    const bool are_texts = std::ranges::all_of(wanted, is_text);
    if (!are_texts &&
        !std::ranges::all_of(wanted, [](const json::value& item) { return item.is_bool(); })) {
        return invalid_expected("array of strings or array of booleans");
    }
    if (!python_truth(actual)) {
        return false;
    }
    if (actual.is_array()) {
        return std::ranges::all_of(wanted, [&](const json::value& item) {
            return is_member(actual.get_array(), item);
        });
    }
    if (!actual.is_string()) {
        return invalid_actual("string or array");
    }
    if (!are_texts) {
        return invalid_expected("array of strings");
    }
    return std::ranges::all_of(wanted, [&](const json::value& item) {
        return has_part(actual.get_string(), item.get_string());
    });
}

}  // namespace

std::string_view to_string(ComparisonOperator op) noexcept {
    const auto* found =
        std::ranges::find(kOperatorNames, op, &std::pair<Op, std::string_view>::first);
    return found == kOperatorNames.end() ? "" : found->second;
}

Result<ComparisonOperator> parse_comparison_operator(std::string_view text) {
    for (const auto& [op, name] : kOperatorNames) {
        if (name == text) {
            return op;
        }
    }
    std::string known;
    for (const auto& [op, name] : kOperatorNames) {
        known += fmt::format("{}`{}`", known.empty() ? "" : ", ", name);
    }
    return failure(
        ErrorCode::invalid_input,
        fmt::format("unknown comparison operator `{}`; use one of {}", text, known)
    );
}

Result<bool> compare(const Value& actual, ComparisonOperator op, const json::value& expected) {
    const auto& data = actual.json();
    switch (op) {
        case Op::contains:
            return is_contained(data, expected);
        case Op::not_contains: {
            FLOWSPAN_TRY(const bool contained, is_contained(data, expected));
            return !contained;
        }
        case Op::start_with:
        case Op::end_with:
            return has_affix(data, expected, op);
        case Op::is:
        case Op::is_not:
            return is_same(data, expected, op);
        case Op::empty:
            return !python_truth(data);
        case Op::not_empty:
            return python_truth(data);
        case Op::equal:
        case Op::not_equal:
            return equals(data, expected, op);
        case Op::greater:
        case Op::less:
        case Op::greater_or_equal:
        case Op::less_or_equal:
            return is_ordered(data, expected, op);
        case Op::null:
        case Op::not_exists:
            return data.is_null();
        case Op::not_null:
        case Op::exists:
            return !data.is_null();
        case Op::in:
        case Op::not_in:
            return is_in(data, expected, op);
        case Op::all_of:
            return has_all(data, expected);
    }
    return false;
}

}  // namespace flowspan::value
