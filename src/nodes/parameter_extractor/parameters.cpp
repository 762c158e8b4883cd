#include "nodes/parameter_extractor/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace flowspan::nodes::parameter_extractor {

namespace {

using value::ValueType;

constexpr std::array kTypes = {
    ValueType::string,
    ValueType::number,
    ValueType::boolean,
    ValueType::array_string,
    ValueType::array_number,
    ValueType::array_object,
    ValueType::array_boolean,
};

ValueType item_type(ValueType array) noexcept {
    switch (array) {
        case ValueType::array_number:
            return ValueType::number;
        case ValueType::array_object:
            return ValueType::object;
        case ValueType::array_boolean:
            return ValueType::boolean;
        default:
            return ValueType::string;
    }
}

bool fits(const json::value& data, ValueType type) noexcept {
    switch (type) {
        case ValueType::number:
            return data.is_number() || data.is_bool();
        case ValueType::boolean:
            return data.is_bool();
        case ValueType::object:
            return data.is_object();
        case ValueType::string:
            return data.is_string();
        default:
            break;
    }
    return data.is_array() &&
           std::ranges::all_of(data.get_array(), [type](const json::value& item) {
               return fits(item, item_type(type));
           });
}

// Numbers may come as text, booleans as numbers and the other way round.
std::optional<json::value> convert(const json::value& data, ValueType type) {
    switch (type) {
        case ValueType::number:
            if (data.is_string() || data.is_bool()) {
                if (const auto integer = dsl::to_integer(data)) {
                    return json::value(*integer);
                }
                const auto number = dsl::to_number(data);
                return number ? std::optional(json::value(*number)) : std::nullopt;
            }
            break;
        case ValueType::boolean:
            if (data.is_int64()) {
                return json::value(data.get_int64() != 0);
            }
            break;
        default:
            break;
    }
    return fits(data, type) ? std::optional(data) : std::nullopt;
}

value::Value zero(ValueType type) {
    if (type == ValueType::number) {
        return value::Value::integer(0);
    }
    return value::zero_value(type).value_or(value::Value());
}

value::Value to_value(const json::value& data, ValueType type) {
    if (!value::is_array(type)) {
        auto converted = convert(data, type);
        return converted ? value::Value(*std::move(converted)) : zero(type);
    }
    json::array items;
    if (const auto* list = data.if_array()) {
        for (const auto& item : *list) {
            if (auto converted = convert(item, item_type(type))) {
                items.push_back(*std::move(converted));
            }
        }
    }
    return value::Value::unchecked(std::move(items), type);
}

std::string find_mistake_in(const json::value& data, const Parameter& parameter) {
    if (parameter.is_select) {
        const bool is_option =
            parameter.options.empty() ||
            std::ranges::find(parameter.options, string_or_empty(data)) != parameter.options.end();
        if (!is_option) {
            return fmt::format("Invalid `select` value for parameter {}", parameter.name);
        }
    }
    if (!fits(data, parameter.type)) {
        return fmt::format(
            "Invalid value for parameter {}, expected {}",
            parameter.name,
            value::to_string(parameter.type)
        );
    }
    return {};
}

Parameter read_parameter(const dsl::DataReader& reader) {
    Parameter parameter;
    parameter.name = reader.required_text("name");
    if (parameter.name == "__reason" || parameter.name == "__is_success") {
        reader.report("name", "must not be a name that the node itself gives");
    }
    parameter.is_select = reader.text("type") == "select";
    if (!parameter.is_select) {
        const auto type = reader.value_type("type");
        if (!reader.has("type")) {
            reader.report("type", "is missing");
        } else if (type && std::ranges::find(kTypes, *type) == kTypes.end()) {
            reader.report("type", "must be string, number, boolean, select or a list of these");
        }
        parameter.type = type.value_or(ValueType::string);
    }
    parameter.options = reader.texts("options");
    parameter.description = reader.text("description");
    parameter.is_required = reader.boolean("required", false);
    return parameter;
}

}  // namespace

std::vector<Parameter> read_parameters(const dsl::DataReader& reader, std::string_view key) {
    std::vector<Parameter> parameters;
    for (const auto& entry : reader.required_objects(key)) {
        parameters.push_back(read_parameter(entry));
    }
    return parameters;
}

json::array to_json(const std::vector<Parameter>& parameters) {
    json::array list;
    for (const auto& parameter : parameters) {
        list.push_back(
            {{"name", parameter.name},
             {"type", parameter.is_select ? "select" : value::to_string(parameter.type)},
             {"options", json::array(parameter.options.begin(), parameter.options.end())},
             {"description", parameter.description},
             {"required", parameter.is_required}}
        );
    }
    return list;
}

json::object to_schema(const std::vector<Parameter>& parameters) {
    json::object properties;
    json::array required;
    for (const auto& parameter : parameters) {
        json::object property;
        property["description"] = parameter.description;
        if (value::is_array(parameter.type)) {
            property["type"] = "array";
            property["items"] = {{"type", value::to_string(item_type(parameter.type))}};
        } else {
            property["type"] = value::to_string(parameter.type);
        }
        if (!parameter.options.empty()) {
            property["enum"] = json::array(parameter.options.begin(), parameter.options.end());
        }
        properties[parameter.name] = std::move(property);
        if (parameter.is_required) {
            required.emplace_back(parameter.name);
        }
    }
    return {
        {"type", "object"},
        {"properties", std::move(properties)},
        {"required", std::move(required)},
    };
}

std::string find_mistake(const json::object& reply, const std::vector<Parameter>& parameters) {
    if (reply.size() != parameters.size()) {
        return "Invalid number of parameters";
    }
    for (const auto& parameter : parameters) {
        const auto* data = reply.if_contains(parameter.name);
        if (data == nullptr) {
            if (parameter.is_required) {
                return fmt::format("Parameter {} is required", parameter.name);
            }
            continue;
        }
        if (auto mistake = find_mistake_in(*data, parameter); !mistake.empty()) {
            return mistake;
        }
    }
    return {};
}

std::vector<engine::NodeOutput> to_outputs(
    const json::object& reply, const std::vector<Parameter>& parameters
) {
    std::vector<engine::NodeOutput> outputs;
    for (const auto& parameter : parameters) {
        const auto* data = reply.if_contains(parameter.name);
        outputs.push_back(
            {parameter.name, to_value(data == nullptr ? json::value() : *data, parameter.type)}
        );
    }
    return outputs;
}

}  // namespace flowspan::nodes::parameter_extractor
