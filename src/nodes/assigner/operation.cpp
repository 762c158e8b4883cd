#include "nodes/assigner/operation.hpp"

#include "flowspan/value/limits.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace flowspan::nodes::assigner {

namespace {

using value::Value;
using value::ValueType;

bool is_number(ValueType type) noexcept {
    return type == ValueType::integer || type == ValueType::floating || type == ValueType::number;
}

bool is_arithmetic(Operation operation) noexcept {
    return operation == Operation::add || operation == Operation::subtract ||
           operation == Operation::multiply || operation == Operation::divide;
}

// In Python a bool is an int.
bool is_python_number(const json::value& data) noexcept {
    return data.is_number() || data.is_bool();
}

// A file is no mapping to the app format.
bool is_mapping(const json::value& data) noexcept {
    return data.is_object() && !value::is_file_record(data);
}

bool fits_item(ValueType array, const json::value& item) noexcept {
    switch (array) {
        case ValueType::array_any:
            return item.is_string() || is_python_number(item) || is_mapping(item);
        case ValueType::array_string:
            return item.is_string();
        case ValueType::array_number:
            return is_python_number(item);
        case ValueType::array_object:
            return is_mapping(item);
        case ValueType::array_boolean:
            return item.is_bool();
        default:
            return false;
    }
}

bool fits_list(ValueType array, const json::value& list) noexcept {
    return array != ValueType::array_file && list.is_array() &&
           std::ranges::all_of(list.get_array(), [array](const json::value& item) {
               return fits_item(array, item);
           });
}

bool fits(ValueType target, const json::value& input) noexcept {
    if (is_number(target)) {
        return is_python_number(input);
    }
    if (value::is_array(target)) {
        return fits_list(target, input);
    }
    switch (target) {
        case ValueType::string:
            return input.is_string();
        case ValueType::boolean:
            return input.is_bool();
        case ValueType::object:
            return is_mapping(input);
        default:
            return false;
    }
}

std::unexpected<Error> invalid_input(const json::value& input) {
    return failure(
        Error(ErrorCode::invalid_input, "Invalid input value").with_detail(value::python_str(input))
    );
}

json::value as_number(const json::value& data) {
    return data.is_bool() ? json::value(std::int64_t{data.get_bool()}) : data;
}

// Exact for integers; a result beyond 64 bits becomes a float.
std::optional<std::int64_t> calculate_exactly(
    Operation operation, std::int64_t a, std::int64_t b
) noexcept {
    std::int64_t result = 0;
    bool has_overflown = true;
    if (operation == Operation::add) {
        has_overflown = __builtin_add_overflow(a, b, &result);
    } else if (operation == Operation::subtract) {
        has_overflown = __builtin_sub_overflow(a, b, &result);
    } else if (operation == Operation::multiply) {
        has_overflown = __builtin_mul_overflow(a, b, &result);
    }
    return has_overflown ? std::nullopt : std::optional(result);
}

Result<Value> calculate(Operation operation, const json::value& target, const json::value& input) {
    if (!is_python_number(input) || !is_python_number(target)) {
        return invalid_input(input);
    }
    const auto left = as_number(target);
    const auto right = as_number(input);
    if (left.is_int64() && right.is_int64()) {
        if (const auto exact = calculate_exactly(operation, left.get_int64(), right.get_int64())) {
            return Value::integer(*exact);
        }
    }
    const auto a = left.to_number<double>();
    const auto b = right.to_number<double>();
    switch (operation) {
        case Operation::add:
            return Value::floating(a + b);
        case Operation::subtract:
            return Value::floating(a - b);
        case Operation::multiply:
            return Value::floating(a * b);
        default:
            if (b == 0) {
                return invalid_input(input);
            }
            return Value::floating(a / b);
    }
}

Result<Value> replace(const Value& target, const json::value& input) {
    const auto type = target.type();
    if (!fits(type, input)) {
        return invalid_input(input);
    }
    if (value::is_array(type)) {
        return Value::unchecked(input, type);
    }
    return is_number(type) ? Value(as_number(input)) : Value(input);
}

Result<Value> set(const Value& target, const json::value& input) {
    if (target.type() != ValueType::object || !input.is_string()) {
        return replace(target, input);
    }
    const auto parsed = parse_json(input.get_string());
    return parsed ? replace(target, *parsed) : invalid_input(input);
}

Result<Value> add_items(const Value& target, const json::value& input, bool is_one_item) {
    const auto type = target.type();
    if (is_one_item ? !fits_item(type, input) : !fits_list(type, input)) {
        return invalid_input(input);
    }
    auto list = target.json().get_array();
    if (is_one_item) {
        list.push_back(input);
    } else {
        list.insert(list.end(), input.get_array().begin(), input.get_array().end());
    }
    json::value grown(std::move(list));
    if (auto checked = value::check_limits(grown); !checked) {
        return failure(std::move(checked).error());
    }
    return Value::unchecked(std::move(grown), type);
}

Value remove_item(const Value& target, bool is_first) {
    auto list = target.json().get_array();
    if (!list.empty()) {
        list.erase(is_first ? list.begin() : list.end() - 1);
    }
    return Value::unchecked(std::move(list), target.type());
}

}  // namespace

std::string_view to_string(Operation operation) noexcept {
    switch (operation) {
        case Operation::over_write:
            return "over-write";
        case Operation::clear:
            return "clear";
        case Operation::append:
            return "append";
        case Operation::extend:
            return "extend";
        case Operation::set:
            return "set";
        case Operation::add:
            return "+=";
        case Operation::subtract:
            return "-=";
        case Operation::multiply:
            return "*=";
        case Operation::divide:
            return "/=";
        case Operation::remove_first:
            return "remove-first";
        case Operation::remove_last:
            return "remove-last";
    }
    return "";
}

bool needs_no_value(Operation operation) noexcept {
    return operation == Operation::clear || operation == Operation::remove_first ||
           operation == Operation::remove_last;
}

bool is_supported(Operation operation, ValueType target) noexcept {
    switch (operation) {
        case Operation::over_write:
        case Operation::clear:
            return true;
        case Operation::set:
            return is_number(target) || target == ValueType::string ||
                   target == ValueType::object || target == ValueType::boolean;
        case Operation::add:
        case Operation::subtract:
        case Operation::multiply:
        case Operation::divide:
            return is_number(target);
        case Operation::append:
        case Operation::extend:
        case Operation::remove_first:
        case Operation::remove_last:
            return value::is_array(target);
    }
    return false;
}

bool is_supported(InputType input, Operation operation, ValueType target) noexcept {
    if (input == InputType::variable) {
        return operation != Operation::set && !is_arithmetic(operation);
    }
    const bool is_replacing = operation == Operation::over_write || operation == Operation::set;
    if (is_number(target)) {
        return is_replacing || is_arithmetic(operation);
    }
    return is_replacing && (target == ValueType::string || target == ValueType::object ||
                            target == ValueType::boolean);
}

Result<Value> apply(Operation operation, const Value& target, const json::value& input) {
    switch (operation) {
        case Operation::over_write:
            return replace(target, input);
        case Operation::clear:
            return value::zero_value(target.type());
        case Operation::append:
            return add_items(target, input, true);
        case Operation::extend:
            return add_items(target, input, false);
        case Operation::set:
            return set(target, input);
        case Operation::remove_first:
            return remove_item(target, true);
        case Operation::remove_last:
            return remove_item(target, false);
        default:
            return calculate(operation, target.json(), input);
    }
}

}  // namespace flowspan::nodes::assigner
