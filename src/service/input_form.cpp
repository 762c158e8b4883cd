#include "service/input_form.hpp"

#include "flowspan/base/text.hpp"
#include "service/input_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace flowspan::service {

namespace {

struct Field {
    InputField info;
    json::value fallback;
    std::int64_t max_length = 0;  // 0: none
};

using Checked = Result<json::value>;

std::unexpected<Error> invalid(std::string message) {
    return failure(Error(ErrorCode::invalid_input, std::move(message)).with_type("ValueError"));
}

const json::value* find_form(const dsl::Graph& graph) {
    const auto root = std::ranges::find(graph.nodes, graph.root_id, &dsl::NodeSpec::id);
    return root == graph.nodes.end() ? nullptr : find_member(root->data, "variables");
}

std::vector<Field> read_fields(const dsl::Graph& graph) {
    std::vector<Field> fields;
    const auto* form = find_form(graph);
    if (form == nullptr || !form->is_array()) {
        return fields;
    }
    for (const auto& entry : form->get_array()) {
        Field field;
        field.info.variable = string_member(entry, "variable");
        field.info.label = string_member(entry, "label");
        field.info.type = string_member(entry, "type");
        const auto* required = find_member(entry, "required");
        field.info.is_required = required != nullptr && value::Value(*required).is_truthy();
        if (const auto* options = find_member(entry, "options");
            options != nullptr && options->is_array()) {
            for (const auto& option : options->get_array()) {
                field.info.options.emplace_back(string_or_empty(option));
            }
        }
        if (const auto* fallback = find_member(entry, "default")) {
            field.fallback = *fallback;
        }
        if (const auto* length = find_member(entry, "max_length");
            length != nullptr && length->is_number()) {
            field.max_length = length->to_number<std::int64_t>();
        }
        fields.push_back(std::move(field));
    }
    return fields;
}

std::string without_nul(std::string_view text) {
    std::string cleaned(text);
    std::erase(cleaned, '\0');
    return cleaned;
}

Checked check_text(const Field& field, const json::value& given) {
    const auto& name = field.info.variable;
    if (!given.is_string()) {
        return invalid(
            fmt::format("(type '{}') {} in input form must be a string", field.info.type, name)
        );
    }
    const std::string_view text = given.get_string();
    if (field.info.type == "select") {
        if (std::ranges::find(field.info.options, text) == field.info.options.end()) {
            return invalid(fmt::format(
                "{} in input form must be one of the following: ['{}']",
                name,
                fmt::join(field.info.options, "', '")
            ));
        }
    } else if (field.max_length > 0 &&
               count_code_points(text) > static_cast<std::size_t>(field.max_length)) {
        return invalid(
            fmt::format("{} in input form must be less than {} characters", name, field.max_length)
        );
    }
    return json::value(without_nul(text));
}

Checked check_number(const Field& field, const json::value& given) {
    if (given.is_int64() || given.is_double()) {
        return given;
    }
    const auto refuse = [&] {
        return invalid(fmt::format("{} in input form must be a valid number", field.info.variable));
    };
    if (!given.is_string()) {
        return refuse();
    }
    const auto text = trim(given.get_string());
    if (text.empty()) {
        return json::value(nullptr);
    }
    const auto* const end = text.data() + text.size();
    if (text.find('.') == std::string_view::npos) {
        std::int64_t number = 0;
        const auto read = std::from_chars(text.data(), end, number);
        return read.ec == std::errc() && read.ptr == end ? Checked(json::value(number)) : refuse();
    }
    double number = 0;
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end ? Checked(json::value(number)) : refuse();
}

json::value check_checkbox(const json::value& given) {
    if (given.is_int64() && (given.get_int64() == 0 || given.get_int64() == 1)) {
        return given.get_int64() == 1;
    }
    if (given.is_string()) {
        const auto word = to_lower_ascii(given.get_string());
        for (const auto* yes : {"true", "1", "yes", "on"}) {
            if (word == yes) {
                return true;
            }
        }
        for (const auto* no : {"false", "0", "no", "off"}) {
            if (word == no) {
                return false;
            }
        }
    }
    return given;
}

Checked check_file(const Field& field, const json::value& given) {
    const auto& name = field.info.variable;
    if (field.info.type == "file") {
        if (!given.is_object()) {
            return invalid(fmt::format("{} in input form must be a file", name));
        }
        return make_file_record(given.get_object());
    }
    if (!given.is_array()) {
        return invalid(fmt::format("{} in input form must be a list of files", name));
    }
    json::array files;
    for (const auto& item : given.get_array()) {
        if (!item.is_object()) {
            return invalid(fmt::format("{} in input form must be a list of files", name));
        }
        FLOWSPAN_TRY(auto file, make_file_record(item.get_object()));
        files.push_back(std::move(file));
    }
    if (field.max_length > 0 && files.size() > static_cast<std::size_t>(field.max_length)) {
        return invalid(
            fmt::format("{} in input form must be less than {} files", name, field.max_length)
        );
    }
    return json::value(std::move(files));
}

Checked check_object(const Field& field, const json::value& given) {
    const auto refuse = [&] {
        return invalid(fmt::format("{} in input form must be a dict", field.info.variable));
    };
    if (given.is_string()) {
        const auto parsed = parse_json(given.get_string());
        return parsed && parsed->is_object() ? Checked(*parsed) : refuse();
    }
    return given.is_object() ? Checked(given) : refuse();
}

Checked check_field(const Field& field, const json::value& given) {
    const auto& type = field.info.type;
    if (type == "number") {
        return check_number(field, given);
    }
    if (type == "checkbox") {
        return check_checkbox(given);
    }
    if (type == "file" || type == "file-list") {
        return check_file(field, given);
    }
    if (type == "json_object") {
        return check_object(field, given);
    }
    if (type == "external_data_tool") {
        return given;
    }
    return check_text(field, given);
}

bool is_blank_file(const Field& field, const json::value& given) {
    const bool is_file = field.info.type == "file" || field.info.type == "file-list";
    return is_file && !field.info.is_required && given.is_string() && given.get_string().empty();
}

Checked check_given(const Field& field, const json::object& inputs) {
    const auto* given = inputs.if_contains(field.info.variable);
    const bool is_absent = given == nullptr || given->is_null() || is_blank_file(field, *given);
    if (!is_absent) {
        return check_field(field, *given);
    }
    if (field.info.is_required) {
        return invalid(field.info.variable + " is required in input form");
    }
    // A stored default of "" on a field that holds no text means that there is none.
    const bool is_text = field.info.type == "text-input" || field.info.type == "paragraph";
    if (field.fallback.is_null() ||
        (!is_text && string_or_empty(field.fallback).empty() && field.fallback.is_string())) {
        return json::value(nullptr);
    }
    return check_field(field, field.fallback);
}

value::Value typed(const Field& field, json::value data) {
    if (field.info.type == "file-list" && data.is_array()) {
        return value::Value::unchecked(std::move(data), value::ValueType::array_file);
    }
    return value::Value(std::move(data));
}

}  // namespace

std::vector<InputField> describe_form(const dsl::Graph& graph) {
    std::vector<InputField> form;
    for (auto& field : read_fields(graph)) {
        form.push_back(std::move(field.info));
    }
    return form;
}

Result<std::vector<engine::NodeOutput>> validate_inputs(
    const dsl::Graph& graph, const json::object& inputs
) {
    std::vector<engine::NodeOutput> variables;
    std::vector<std::string> problems;
    for (const auto& field : read_fields(graph)) {
        auto checked = check_given(field, inputs);
        if (checked) {
            variables.push_back({field.info.variable, typed(field, *std::move(checked))});
        } else {
            problems.push_back(checked.error().message);
        }
    }
    if (!problems.empty()) {
        return invalid(fmt::format("{}", fmt::join(problems, "\n")));
    }
    return variables;
}

}  // namespace flowspan::service
