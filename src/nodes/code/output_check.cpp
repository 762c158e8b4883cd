#include "nodes/code/output_check.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace flowspan::nodes::code {

namespace {

using value::ValueType;

constexpr std::array kAllowedTypes = {
    ValueType::string,
    ValueType::number,
    ValueType::object,
    ValueType::boolean,
    ValueType::array_string,
    ValueType::array_number,
    ValueType::array_object,
    ValueType::array_boolean,
};

std::unexpected<Error> invalid(std::string message) {
    return failure(
        Error(ErrorCode::invalid_input, std::move(message)).with_type("OutputValidationError")
    );
}

// `-1.5e+10`: programs print large numbers so, and mean numbers.
bool is_scientific_number(std::string_view text) {
    const auto digits = [&text] {
        const auto length = std::min(text.find_first_not_of("0123456789"), text.size());
        text.remove_prefix(length);
        return length;
    };
    if (text.starts_with('-')) {
        text.remove_prefix(1);
    }
    if (digits() == 0) {
        return false;
    }
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        if (digits() == 0) {
            return false;
        }
    }
    if (!text.starts_with('e') && !text.starts_with('E')) {
        return false;
    }
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) {
        text.remove_prefix(1);
    }
    return digits() > 0 && text.empty();
}

// Digits behind the point of the shortest text of `number`.
int decimals_of(double number) {
    const auto text = value::python_float(number);
    const auto exponent_at = text.find('e');
    const auto mantissa = std::string_view(text).substr(0, exponent_at);
    const auto point = mantissa.find('.');
    auto fraction = point == std::string_view::npos ? "" : mantissa.substr(point + 1);
    while (fraction.ends_with('0')) {
        fraction.remove_suffix(1);
    }
    int exponent = 0;
    if (exponent_at != std::string::npos) {
        exponent = std::atoi(text.c_str() + exponent_at + 1);
    }
    return static_cast<int>(fraction.size()) - exponent;
}

class OutputChecker {
public:
    explicit OutputChecker(const Limits& limits) : limits_(limits) {}

    Result<json::object> check_fields(
        const json::object& result,
        const std::vector<OutputField>& fields,
        const std::string& prefix,
        int depth
    ) const {
        if (auto checked = check_depth(depth); !checked) {
            return failure(std::move(checked).error());
        }
        json::object outputs;
        for (const auto& field : fields) {
            const auto path = prefix.empty() ? field.name : prefix + "." + field.name;
            const auto* data = result.if_contains(field.name);
            if (data == nullptr) {
                return invalid(fmt::format("Output {} is missing.", path));
            }
            FLOWSPAN_TRY(outputs[field.name], check_field(*data, field, path, depth));
        }
        if (outputs.size() != result.size()) {
            return failure(
                Error(ErrorCode::invalid_input, "Not all output parameters are validated.")
                    .with_type("CodeNodeError")
            );
        }
        return outputs;
    }

private:
    Result<json::value> check_field(
        const json::value& data, const OutputField& field, const std::string& path, int depth
    ) const {
        if (data.is_null()) {
            return data;
        }
        switch (field.type) {
            case ValueType::string:
                return check_text(data, path);
            case ValueType::number:
                return check_number(data, path);
            case ValueType::object:
                return check_object(data, field, path, depth);
            case ValueType::array_number:
                return check_array(
                    data,
                    path,
                    limits_.code_number_array_length_max,
                    [](const json::value& item, const std::string& at) {
                        return to_number(item, at);
                    }
                );
            case ValueType::array_string:
                return check_array(
                    data,
                    path,
                    limits_.code_text_array_length_max,
                    [this](const json::value& item, const std::string& at) {
                        return item.is_null() ? item : check_text(item, at);
                    }
                );
            case ValueType::array_object:
                return check_array(
                    data,
                    path,
                    limits_.code_object_array_length_max,
                    [&](const json::value& item, const std::string& at) {
                        return item.is_null() ? item : check_object(item, field, at, depth);
                    }
                );
            case ValueType::array_boolean:
                return check_array(
                    data,
                    path,
                    SIZE_MAX,
                    [](const json::value& item, const std::string& at) {
                        return check_boolean(item, at);
                    }
                );
            default:
                return data;  // boolean: any value passes
        }
    }

    Result<json::value> check_text(const json::value& data, const std::string& path) const {
        if (!data.is_string()) {
            return invalid(fmt::format(
                "Output {} must be a string, got {} instead.", path, python_type_name(data)
            ));
        }
        std::string text(data.get_string());
        if (count_code_points(text) > limits_.code_text_length_max) {
            return invalid(fmt::format(
                "The length of output variable `{}` must be less than {} characters",
                path,
                limits_.code_text_length_max
            ));
        }
        std::erase(text, '\0');
        return json::value(text);
    }

    static Result<json::value> to_number(const json::value& data, const std::string& path) {
        if (data.is_bool()) {
            return json::value(data.get_bool() ? 1 : 0);
        }
        if (!data.is_number()) {
            return invalid(fmt::format(
                "Output {} is not a number, got {} instead.", path, python_type_name(data)
            ));
        }
        return data;
    }

    Result<json::value> check_number(const json::value& data, const std::string& path) const {
        FLOWSPAN_TRY(auto number, to_number(data, path));
        const auto max = limits_.code_number_max;
        bool is_in_range = true;
        if (number.is_int64()) {
            is_in_range = number.get_int64() <= max && number.get_int64() >= -max;
        } else {
            // As a double, the largest integer is the first power of two above it.
            const auto bound = static_cast<double>(max);
            is_in_range = std::abs(number.to_number<double>()) < bound;
        }
        if (!is_in_range) {
            return invalid(fmt::format(
                "Output variable `{}` is out of range, it must be between {} and {}.",
                path,
                -max,
                max
            ));
        }
        if (number.is_double() && decimals_of(number.get_double()) > limits_.code_decimals_max) {
            return invalid(fmt::format(
                "Output variable `{}` has too high precision, it must be less than {} digits.",
                path,
                limits_.code_decimals_max
            ));
        }
        return number;
    }

    static Result<json::value> check_boolean(const json::value& data, const std::string& path) {
        if (!data.is_bool() && !data.is_null()) {
            return invalid(fmt::format(
                "Output {} is not a boolean, got {} instead.", path, python_type_name(data)
            ));
        }
        return data;
    }

    Result<json::value> check_object(
        const json::value& data, const OutputField& field, const std::string& path, int depth
    ) const {
        if (!data.is_object()) {
            return invalid(fmt::format(
                "Output {} is not an object, got {} instead.", path, python_type_name(data)
            ));
        }
        if (field.children) {
            FLOWSPAN_TRY(
                auto checked, check_fields(data.get_object(), *field.children, path, depth + 1)
            );
            return json::value(std::move(checked));
        }
        if (auto checked = check_untyped_object(data.get_object(), path, depth + 1); !checked) {
            return failure(std::move(checked).error());
        }
        return data;
    }

    template <class Check>
    static Result<json::value> check_array(
        const json::value& data, const std::string& path, std::size_t length_max, const Check& check
    ) {
        if (!data.is_array()) {
            return invalid(fmt::format(
                "Output {} is not an array, got {} instead.", path, python_type_name(data)
            ));
        }
        const auto& items = data.get_array();
        if (items.size() > length_max) {
            return invalid(fmt::format(
                "The length of output variable `{}` must be less than {} elements.",
                path,
                length_max
            ));
        }
        json::array checked;
        checked.reserve(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            Result<json::value> item = check(items[i], fmt::format("{}[{}]", path, i));
            if (!item) {
                return failure(std::move(item).error());
            }
            checked.push_back(*std::move(item));
        }
        return json::value(std::move(checked));
    }

    [[nodiscard]] Result<void> check_depth(int depth) const {
        if (depth > limits_.code_depth_max) {
            return failure(
                Error(
                    ErrorCode::limit_exceeded,
                    fmt::format("Depth limit {} reached, object too deep.", limits_.code_depth_max)
                )
                    .with_type("DepthLimitError")
            );
        }
        return {};
    }

    Result<void> check_untyped_object(
        const json::object& object, const std::string& prefix, int depth
    ) const {
        if (auto checked = check_depth(depth); !checked) {
            return checked;
        }
        for (const auto& member : object) {
            const auto path = fmt::format("{}.{}", prefix, std::string_view(member.key()));
            if (auto checked = check_untyped(member.value(), path, depth); !checked) {
                return checked;
            }
        }
        return {};
    }

    Result<void> check_untyped(const json::value& data, const std::string& path, int depth) const {
        if (data.is_object()) {
            return check_untyped_object(data.get_object(), path, depth + 1);
        }
        if (data.is_array()) {
            return check_untyped_list(data.get_array(), path, depth);
        }
        Result<json::value> checked = data;
        if (data.is_number()) {
            checked = check_number(data, path);
        } else if (data.is_string()) {
            checked = check_text(data, path);
        }
        return checked ? Result<void>() : failure(std::move(checked).error());
    }

    // All of the kind of the first item; null may stand for any item but the first, which decides.
    Result<void> check_untyped_list(const json::array& items, const std::string& path, int depth)
        const {
        if (items.empty() || items[0].is_null()) {
            return {};
        }
        const auto& first = items[0];
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto& item = items[i];
            const bool is_alike =
                item.kind() == first.kind() ||
                ((item.is_number() || item.is_bool()) && (first.is_number() || first.is_bool()));
            if (item.is_null()) {
                continue;
            }
            if (!is_alike) {
                return invalid(fmt::format(
                    "Output {} is not a valid array. make sure all elements are of the same type.",
                    path
                ));
            }
            if (auto checked = check_list_item(item, fmt::format("{}[{}]", path, i), depth);
                !checked) {
                return checked;
            }
        }
        return {};
    }

    Result<void> check_list_item(const json::value& item, const std::string& path, int depth)
        const {
        if (item.is_array()) {
            if (auto checked = check_depth(depth + 1); !checked) {
                return checked;
            }
            return check_untyped_list(item.get_array(), path, depth + 1);
        }
        return check_untyped(item, path, depth);
    }

    const Limits& limits_;
};

void convert_scientific_numbers(json::value& data) {
    if (const auto* text = data.if_string()) {
        if (is_scientific_number(*text)) {
            double number = 0;
            const auto [end, ec] =
                std::from_chars(text->data(), text->data() + text->size(), number);
            if (ec == std::errc()) {
                data = number;
            }
        }
    } else if (auto* array = data.if_array()) {
        std::ranges::for_each(*array, convert_scientific_numbers);
    } else if (auto* object = data.if_object()) {
        for (auto& member : *object) {
            convert_scientific_numbers(member.value());
        }
    }
}

OutputField read_field(const dsl::DataReader& reader) {
    OutputField field;
    field.name = reader.key();
    const auto type = reader.value_type("type");
    if (!type) {
        if (!reader.has("type")) {
            reader.report("type", "is missing");
        }
        return field;
    }
    field.type = *type;
    if (std::ranges::find(kAllowedTypes, *type) == kAllowedTypes.end()) {
        reader.report(
            "type", fmt::format("must not be {}, which code cannot return", value::to_string(*type))
        );
    }
    if (reader.has("children")) {
        field.children = read_output_fields(reader, "children");
    }
    return field;
}

}  // namespace

std::vector<OutputField> read_output_fields(const dsl::DataReader& reader, std::string_view key) {
    std::vector<OutputField> fields;
    for (const auto& member : reader.members(key)) {
        fields.push_back(read_field(member));
    }
    return fields;
}

Result<json::object> check_outputs(
    const json::object& result, const std::vector<OutputField>& fields, const Limits& limits
) {
    json::value converted(result);
    convert_scientific_numbers(converted);
    return OutputChecker(limits).check_fields(converted.get_object(), fields, "", 1);
}

}  // namespace flowspan::nodes::code
