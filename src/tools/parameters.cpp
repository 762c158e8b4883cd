#include "tools/parameters.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace flowspan::tools {

namespace {

struct TypeWord {
    std::string_view word;
    ParameterType type;
};

constexpr std::array<TypeWord, 19> kTypeWords = {{
    {"string", ParameterType::string},         {"text-input", ParameterType::string},
    {"paragraph", ParameterType::string},      {"secret-input", ParameterType::secret},
    {"secret", ParameterType::secret},         {"select", ParameterType::select},
    {"dynamic-select", ParameterType::select}, {"number", ParameterType::number},
    {"integer", ParameterType::number},        {"boolean", ParameterType::boolean},
    {"checkbox", ParameterType::boolean},      {"file", ParameterType::file},
    {"files", ParameterType::files},           {"system-files", ParameterType::files},
    {"array", ParameterType::array},           {"array[tools]", ParameterType::array},
    {"object", ParameterType::object},         {"model-selector", ParameterType::selector},
    {"app-selector", ParameterType::selector},
}};

std::unexpected<Error> wrong_type(const ToolParameter& parameter, std::string_view wanted) {
    return failure(Error(
                       ErrorCode::type_mismatch,
                       fmt::format("The tool parameter `{}` must be {}", parameter.name, wanted)
    )
                       .with_type("ToolParameterError"));
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const auto* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, number);
    return code == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

Result<json::value> to_number(const ToolParameter& parameter, json::value value) {
    if (value.is_number()) {
        return value;
    }
    const auto* string = value.if_string();
    if (string == nullptr) {
        return wrong_type(parameter, "a number");
    }
    auto text = trim(std::string_view(*string));
    if (text.empty()) {
        return json::value(nullptr);  // a field that nobody filled in
    }
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    if (text.find('.') == std::string_view::npos) {
        if (const auto number = parse_number<std::int64_t>(text)) {
            return json::value(*number);
        }
    }
    if (const auto number = parse_number<double>(text)) {
        return json::value(*number);
    }
    return wrong_type(parameter, "a number");
}

bool to_boolean(const json::value& value) {
    const auto* string = value.if_string();
    if (string == nullptr) {
        return value::python_truth(value);
    }
    constexpr std::array<std::string_view, 5> kNo = {"false", "no", "n", "0", ""};
    return std::ranges::find(kNo, to_lower_ascii(*string)) == kNo.end();
}

json::value to_list(json::value value) {
    if (value.is_array()) {
        return value;
    }
    if (const auto* text = value.if_string()) {
        if (auto parsed = parse_json(*text); parsed && parsed->is_array()) {
            return *std::move(parsed);
        }
    }
    json::array list;
    list.push_back(std::move(value));
    return list;
}

json::value to_object(json::value value) {
    if (value.is_object()) {
        return value;
    }
    if (const auto* text = value.if_string()) {
        if (auto parsed = parse_json(*text); parsed && parsed->is_object()) {
            return *std::move(parsed);
        }
    }
    return json::object();
}

Result<json::value> to_file(const ToolParameter& parameter, json::value value) {
    auto* list = value.if_array();
    if (list == nullptr) {
        return value;
    }
    if (list->size() != 1) {
        return wrong_type(parameter, "a single file");
    }
    json::value file = std::move(list->front());
    return file;
}

// Descriptions for people come by language.
std::string description_of(const json::value& declaration) {
    if (const auto text = string_member(declaration, "llm_description"); !text.empty()) {
        return std::string(text);
    }
    const auto* human = find_member(declaration, "human_description");
    return human == nullptr ? std::string() : std::string(string_member(*human, "en_US"));
}

std::vector<std::string> options_of(const json::value& declaration) {
    std::vector<std::string> options;
    if (const auto* list = find_member(declaration, "options"); list != nullptr) {
        if (const auto* items = list->if_array()) {
            for (const auto& item : *items) {
                options.emplace_back(string_member(item, "value"));
            }
        }
    }
    return options;
}

std::string_view schema_type(ParameterType type) {
    switch (type) {
        case ParameterType::number:
            return "number";
        case ParameterType::boolean:
            return "boolean";
        case ParameterType::array:
        case ParameterType::files:
            return "array";
        case ParameterType::object:
        case ParameterType::selector:
            return "object";
        default:
            return "string";
    }
}

json::value property_of(const ToolParameter& parameter) {
    if (parameter.schema.is_object()) {
        json::value schema = parameter.schema;
        if (!parameter.description.empty()) {
            schema.get_object().emplace("description", parameter.description);
        }
        return schema;
    }
    json::object property{
        {"type", schema_type(parameter.type)}, {"description", parameter.description}
    };
    if (!parameter.options.empty()) {
        property["enum"] = json::array(parameter.options.begin(), parameter.options.end());
    }
    return property;
}

}  // namespace

ParameterType parse_parameter_type(std::string_view word) noexcept {
    const auto* found = std::ranges::find(kTypeWords, word, &TypeWord::word);
    return found == kTypeWords.end() ? ParameterType::any : found->type;
}

std::vector<ToolParameter> read_parameters(const json::value& declarations) {
    std::vector<ToolParameter> parameters;
    const auto* list = declarations.if_array();
    if (list == nullptr) {
        return parameters;
    }
    for (const auto& declaration : *list) {
        const auto name = string_member(declaration, "name");
        if (name.empty()) {
            continue;
        }
        ToolParameter parameter;
        parameter.name = name;
        parameter.type = parse_parameter_type(string_member(declaration, "type"));
        parameter.description = description_of(declaration);
        const auto* is_required = find_member(declaration, "required");
        parameter.is_required = is_required != nullptr && value::python_truth(*is_required);
        parameter.is_for_model = string_member(declaration, "form", "llm") == "llm";
        if (const auto* value = find_member(declaration, "default")) {
            parameter.default_value = *value;
        }
        parameter.options = options_of(declaration);
        if (const auto* schema = find_member(declaration, "input_schema")) {
            parameter.schema = *schema;
        }
        parameters.push_back(std::move(parameter));
    }
    return parameters;
}

const ToolParameter* find_parameter(
    const std::vector<ToolParameter>& parameters, std::string_view name
) noexcept {
    const auto found = std::ranges::find(parameters, name, &ToolParameter::name);
    return found == parameters.end() ? nullptr : &*found;
}

Result<json::value> cast_argument(const ToolParameter& parameter, json::value value) {
    switch (parameter.type) {
        case ParameterType::any:
            return value;
        case ParameterType::string:
        case ParameterType::secret:
        case ParameterType::select:
            return value.is_null() ? json::value("") : json::value(value::python_str(value));
        case ParameterType::number:
            return to_number(parameter, std::move(value));
        case ParameterType::boolean:
            return json::value(to_boolean(value));
        case ParameterType::file:
            return to_file(parameter, std::move(value));
        case ParameterType::files:
            return value.is_array() ? std::move(value) : json::value(json::array{std::move(value)});
        case ParameterType::array:
            return to_list(std::move(value));
        case ParameterType::object:
            return to_object(std::move(value));
        case ParameterType::selector:
            return value.is_object() ? Result<json::value>(std::move(value))
                                     : wrong_type(parameter, "a mapping");
    }
    return value;
}

json::object to_json_schema(const std::vector<ToolParameter>& parameters) {
    json::object properties;
    json::array required;
    for (const auto& parameter : parameters) {
        const bool is_file =
            parameter.type == ParameterType::file || parameter.type == ParameterType::files;
        if (!parameter.is_for_model || is_file) {
            continue;
        }
        properties[parameter.name] = property_of(parameter);
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

}  // namespace flowspan::tools
