#include "flowspan/value/value.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace flowspan::value {

namespace {

constexpr std::array<std::pair<ValueType, std::string_view>, 15> kTypeNames = {{
    {ValueType::none, "none"},
    {ValueType::string, "string"},
    {ValueType::integer, "integer"},
    {ValueType::floating, "float"},
    {ValueType::boolean, "boolean"},
    {ValueType::object, "object"},
    {ValueType::secret, "secret"},
    {ValueType::file, "file"},
    {ValueType::array_any, "array[any]"},
    {ValueType::array_string, "array[string]"},
    {ValueType::array_number, "array[number]"},
    {ValueType::array_object, "array[object]"},
    {ValueType::array_file, "array[file]"},
    {ValueType::array_boolean, "array[boolean]"},
    {ValueType::number, "number"},
}};

// The null that every `none` shares.
const std::shared_ptr<const json::value>& shared_null() {
    static const auto kNull = std::make_shared<const json::value>();
    return kNull;
}

ValueType array_type_of(ValueType item) noexcept {
    switch (item) {
        case ValueType::string:
            return ValueType::array_string;
        case ValueType::integer:
        case ValueType::floating:
            return ValueType::array_number;
        case ValueType::boolean:
            return ValueType::array_boolean;
        case ValueType::object:
            return ValueType::array_object;
        case ValueType::file:
            return ValueType::array_file;
        default:
            return ValueType::array_any;
    }
}

// The type of one list item without descending into it: a list of lists is array[any] anyway.
ValueType item_type(const json::value& item) noexcept {
    return item.is_array() ? ValueType::array_any : infer_type(item);
}

ValueType infer_array_type(const json::array& items) noexcept {
    if (items.empty()) {
        return ValueType::array_any;
    }
    const auto type = array_type_of(item_type(items[0]));
    if (type == ValueType::array_any) {
        return type;
    }
    const bool is_uniform = std::ranges::all_of(items, [type](const json::value& item) {
        return array_type_of(item_type(item)) == type;
    });
    return is_uniform ? type : ValueType::array_any;
}

// Numbers as Python compares them: exactly, whatever mix of bool, int and float.
struct Number {
    bool is_float = false;
    std::int64_t integer = 0;
    double real = 0;
};

std::optional<Number> as_number(const json::value& data) noexcept {
    switch (data.kind()) {
        case json::kind::bool_:
            return Number{.integer = data.get_bool() ? 1 : 0};
        case json::kind::int64:
            return Number{.integer = data.get_int64()};
        case json::kind::uint64: {
            const auto number = data.get_uint64();
            if (std::in_range<std::int64_t>(number)) {
                return Number{.integer = static_cast<std::int64_t>(number)};
            }
            return Number{.is_float = true, .real = static_cast<double>(number)};
        }
        case json::kind::double_:
            return Number{.is_float = true, .real = data.get_double()};
        default:
            return std::nullopt;
    }
}

bool equal_numbers(const Number& a, const Number& b) noexcept {
    if (a.is_float && b.is_float) {
        return a.real == b.real;
    }
    if (!a.is_float && !b.is_float) {
        return a.integer == b.integer;
    }
    const double real = a.is_float ? a.real : b.real;
    const auto integer = a.is_float ? b.integer : a.integer;
    // 2^63 is the first double above the int64 range; casting it would be undefined.
    return real >= -0x1p63 && real < 0x1p63 && std::trunc(real) == real &&
           static_cast<std::int64_t>(real) == integer;
}

}  // namespace

std::string_view to_string(ValueType type) noexcept {
    const auto* found =
        std::ranges::find(kTypeNames, type, &std::pair<ValueType, std::string_view>::first);
    return found == kTypeNames.end() ? "none" : found->second;
}

Result<ValueType> parse_value_type(std::string_view text) {
    if (equals_ignore_case(text, "bool")) {
        return ValueType::boolean;
    }
    for (const auto& [type, name] : kTypeNames) {
        if (equals_ignore_case(text, name)) {
            return type;
        }
    }
    return failure(ErrorCode::invalid_input, fmt::format("unknown variable type `{}`", text));
}

bool is_file_record(const json::value& data) noexcept {
    const auto* mark = find_member(data, kFileIdentityKey);
    return mark != nullptr && string_or_empty(*mark) == kFileIdentity;
}

ValueType infer_type(const json::value& data) noexcept {
    switch (data.kind()) {
        case json::kind::null:
            return ValueType::none;
        case json::kind::bool_:
            return ValueType::boolean;
        case json::kind::int64:
        case json::kind::uint64:
            return ValueType::integer;
        case json::kind::double_:
            return ValueType::floating;
        case json::kind::string:
            return ValueType::string;
        case json::kind::array:
            return infer_array_type(data.get_array());
        case json::kind::object:
            return is_file_record(data) ? ValueType::file : ValueType::object;
    }
    return ValueType::none;
}

Value::Value() : type_(ValueType::none), data_(shared_null()) {}

Value::Value(json::value data)
    : type_(infer_type(data)),
      data_(
          type_ == ValueType::none ? shared_null()
                                   : std::make_shared<const json::value>(std::move(data))
      ) {}

Value Value::string(std::string_view text) {
    return unchecked(json::value(text), ValueType::string);
}

Value Value::secret(std::string_view text) {
    return unchecked(json::value(text), ValueType::secret);
}

Value Value::integer(std::int64_t number) {
    return unchecked(json::value(number), ValueType::integer);
}

Value Value::floating(double number) {
    return unchecked(json::value(number), ValueType::floating);
}

Value Value::boolean(bool flag) {
    static const auto kFalse = std::make_shared<const json::value>(false);
    static const auto kTrue = std::make_shared<const json::value>(true);
    return {ValueType::boolean, flag ? kTrue : kFalse};
}

Result<Value> Value::typed(json::value data, ValueType type) {
    const auto actual = infer_type(data);
    const bool is_number = type == ValueType::number &&
                           (actual == ValueType::integer || actual == ValueType::floating);
    if (is_number) {
        return unchecked(std::move(data), actual);
    }
    const bool is_empty_list = is_array(type) && data.is_array() && data.get_array().empty();
    const bool is_secret = type == ValueType::secret && actual == ValueType::string;
    if (actual == type || is_empty_list || is_secret) {
        return unchecked(std::move(data), type);
    }
    return failure(
        ErrorCode::type_mismatch,
        fmt::format("Type mismatch: expected {}, but got {}", to_string(type), to_string(actual))
    );
}

Value Value::unchecked(json::value data, ValueType type) {
    return {type, std::make_shared<const json::value>(std::move(data))};
}

Value Value::part(const json::value& nested) const {
    return {infer_type(nested), std::shared_ptr<const json::value>(data_, &nested)};
}

bool Value::is_truthy() const noexcept {
    return python_truth(*data_);
}

bool Value::operator==(const Value& other) const {
    return python_equal(*data_, *other.data_);
}

Result<Value> zero_value(ValueType type) {
    switch (type) {
        case ValueType::string:
            return Value::string("");
        case ValueType::integer:
        case ValueType::number:
            return Value::integer(0);
        case ValueType::floating:
            return Value::floating(0.0);
        case ValueType::boolean:
            return Value::boolean(false);
        case ValueType::object:
            return Value::unchecked(json::object(), type);
        case ValueType::array_any:
        case ValueType::array_string:
        case ValueType::array_number:
        case ValueType::array_object:
        case ValueType::array_boolean:
            return Value::unchecked(json::array(), type);
        case ValueType::none:
        case ValueType::secret:
        case ValueType::file:
        case ValueType::array_file:
            break;
    }
    return failure(
        ErrorCode::type_mismatch,
        fmt::format("a variable of type {} cannot be cleared", to_string(type))
    );
}

bool python_truth(const json::value& data) noexcept {
    switch (data.kind()) {
        case json::kind::null:
            return false;
        case json::kind::bool_:
            return data.get_bool();
        case json::kind::int64:
            return data.get_int64() != 0;
        case json::kind::uint64:
            return data.get_uint64() != 0;
        case json::kind::double_:
            return data.get_double() != 0;
        case json::kind::string:
            return !data.get_string().empty();
        case json::kind::array:
            return !data.get_array().empty();
        case json::kind::object:
            return !data.get_object().empty();
    }
    return false;
}

bool python_equal(const json::value& a, const json::value& b) {
    if (const auto number = as_number(a)) {
        const auto other = as_number(b);
        return other && equal_numbers(*number, *other);
    }
    if (a.kind() != b.kind()) {
        return false;
    }
    if (a.is_string()) {
        return a.get_string() == b.get_string();
    }
    if (a.is_array()) {
        return std::ranges::equal(a.get_array(), b.get_array(), python_equal);
    }
    if (a.is_object()) {
        const auto& other = b.get_object();
        return a.get_object().size() == other.size() &&
               std::ranges::all_of(a.get_object(), [&other](const auto& member) {
                   const auto* match = other.if_contains(member.key());
                   return match != nullptr && python_equal(member.value(), *match);
               });
    }
    return true;
}

}  // namespace flowspan::value
