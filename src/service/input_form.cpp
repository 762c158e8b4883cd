#include "service/input_form.hpp"

#include "dsl/data_reader.hpp"
#include "flowspan/base/text.hpp"
#include "service/file_rules.hpp"
#include "service/webhook_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace flowspan::service {

namespace {

struct Field {
    InputField info;
    json::value fallback;
    std::int64_t max_length = 0;  // 0: none
    FileRules files;
};

using Checked = Result<json::value>;

// Of a list field without a limit of its own.
constexpr std::int64_t kFilesMax = 10;

// Only webhooks have fields of this type.
constexpr std::string_view kListType = "list";

// A webhook's whole request, which stands for all of its fields.
constexpr std::string_view kRequest = "webhook_data";

std::unexpected<Error> invalid(std::string message) {
    return failure(Error(ErrorCode::invalid_input, std::move(message)).with_type("ValueError"));
}

const dsl::NodeSpec* find_root(const dsl::Graph& graph) {
    const auto root = std::ranges::find(graph.nodes, graph.root_id, &dsl::NodeSpec::id);
    return root == graph.nodes.end() ? nullptr : &*root;
}

std::vector<Field> read_start_fields(const dsl::NodeSpec& root) {
    std::vector<Field> fields;
    const auto* form = find_member(root.data, "variables");
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
                field.info.options.push_back(value::python_str(option));
            }
        }
        if (const auto* fallback = find_member(entry, "default")) {
            field.fallback = *fallback;
        }
        if (const auto* length = find_member(entry, "max_length")) {
            field.max_length = dsl::to_integer(*length).value_or(0);
        }
        field.files = read_file_rules(entry, field.info.variable);
        fields.push_back(std::move(field));
    }
    return fields;
}

// What a form calls the types of a request.
std::string_view form_type(std::string_view type) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTypes = {{
        {"number", "number"},
        {"boolean", "checkbox"},
        {"object", "json_object"},
        {"file", "file"},
        {"array[file]", "file-list"},
    }};
    const auto* const found =
        std::ranges::find(kTypes, type, &std::pair<std::string_view, std::string_view>::first);
    if (found != kTypes.end()) {
        return found->second;
    }
    return type.starts_with("array") ? kListType : std::string_view("paragraph");
}

std::vector<Field> fields_of_webhook(const dsl::NodeSpec& root) {
    std::vector<Field> fields;
    for (auto& declared : read_webhook_fields(root)) {
        Field field;
        field.info.label = std::move(declared.name);
        field.info.variable = std::move(declared.variable);
        field.info.type = form_type(declared.type);
        field.info.is_required = declared.is_required;
        fields.push_back(std::move(field));
    }
    Field request;
    request.info.variable = kRequest;
    request.info.type = "json_object";
    fields.push_back(std::move(request));
    return fields;
}

bool is_webhook(const dsl::NodeSpec& root) {
    return root.type == "trigger-webhook";
}

std::vector<Field> read_fields(const dsl::Graph& graph) {
    const auto* root = find_root(graph);
    if (root == nullptr) {
        return {};
    }
    return is_webhook(*root) ? fields_of_webhook(*root) : read_start_fields(*root);
}

bool is_open(const dsl::Graph& graph) {
    const auto* root = find_root(graph);
    return root != nullptr && root->type == "trigger-plugin";
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
    if (text.find('.') == std::string_view::npos) {
        std::int64_t number = 0;
        const auto read = std::from_chars(text.begin(), text.end(), number);
        return read.ec == std::errc() && read.ptr == text.end() ? Checked(json::value(number))
                                                                : refuse();
    }
    double number = 0;
    const auto read = std::from_chars(text.begin(), text.end(), number);
    return read.ec == std::errc() && read.ptr == text.end() ? Checked(json::value(number))
                                                            : refuse();
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

bool is_unfinished_file(const json::object& file) {
    const json::value given(file);
    if (value::is_file_record(given)) {
        return false;
    }
    const auto method = string_member(given, "transfer_method");
    return method.empty() || (method == "remote_url" && string_member(given, "url").empty() &&
                              string_member(given, "remote_url").empty());
}

Checked check_file(const Field& field, const json::value& given) {
    const auto& name = field.info.variable;
    if (field.info.type == "file") {
        if (!given.is_object()) {
            return invalid(fmt::format("{} in input form must be a file", name));
        }
        return take_file(given.get_object(), field.files);
    }
    if (!given.is_array()) {
        return invalid(fmt::format("{} in input form must be a list of files", name));
    }
    json::array files;
    for (const auto& item : given.get_array()) {
        if (!item.is_object()) {
            return invalid(fmt::format("{} in input form must be a list of files", name));
        }
        // Clients send what a person has begun to fill in; that is no file yet.
        if (is_unfinished_file(item.get_object())) {
            continue;
        }
        FLOWSPAN_TRY(auto file, take_file(item.get_object(), field.files));
        files.push_back(std::move(file));
    }
    const auto limit = field.max_length > 0        ? field.max_length
                       : field.files.files_max > 0 ? field.files.files_max
                                                   : kFilesMax;
    if (files.size() > static_cast<std::size_t>(limit)) {
        return invalid(fmt::format("{} in input form must be less than {} files", name, limit));
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

Checked check_list(const Field& field, const json::value& given) {
    auto list = given;
    if (given.is_string()) {
        if (auto parsed = parse_json(given.get_string())) {
            list = *std::move(parsed);
        }
    }
    if (!list.is_array()) {
        return invalid(fmt::format("{} in input form must be a list", field.info.variable));
    }
    return list;
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
    if (type == kListType) {
        return check_list(field, given);
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

// The request that a webhook gets as a whole; none if its fields come one by one.
std::optional<json::value> find_request(
    const std::vector<Field>& fields, const json::object& inputs
) {
    const auto* given = inputs.if_contains(kRequest);
    if (given == nullptr || given->is_null() || fields.empty()) {
        return std::nullopt;
    }
    auto request = check_object(fields.back(), *given);
    return request ? std::optional(*std::move(request)) : std::nullopt;
}

value::Value typed(const Field& field, json::value data) {
    if (field.info.type == "file-list" && data.is_array()) {
        return value::Value::unchecked(std::move(data), value::ValueType::array_file);
    }
    return value::Value(std::move(data));
}

}  // namespace

InputForm describe_form(const dsl::Graph& graph) {
    InputForm form;
    for (auto& field : read_fields(graph)) {
        form.fields.push_back(std::move(field.info));
    }
    form.is_open = is_open(graph);
    return form;
}

Result<std::vector<engine::NodeOutput>> validate_inputs(
    const dsl::Graph& graph, const json::object& inputs
) {
    std::vector<engine::NodeOutput> variables;
    std::vector<std::string> problems;
    auto fields = read_fields(graph);
    if (const auto* root = find_root(graph); root != nullptr && is_webhook(*root)) {
        if (const auto request = find_request(fields, inputs)) {
            problems = check_webhook_request(*root, *request);
            // The trigger reads them out of the request; a `none` before it ran would be streamed.
            std::erase_if(fields, [&inputs](const Field& field) {
                return !inputs.contains(field.info.variable);
            });
        }
    }
    for (const auto& field : fields) {
        auto checked = check_given(field, inputs);
        if (checked) {
            variables.push_back({field.info.variable, typed(field, *std::move(checked))});
        } else {
            problems.push_back(checked.error().message);
        }
    }
    if (is_open(graph)) {
        for (const auto& given : inputs) {
            variables.push_back({std::string(given.key()), value::Value(given.value())});
        }
    }
    if (!problems.empty()) {
        return invalid(fmt::format("{}", fmt::join(problems, "\n")));
    }
    return variables;
}

}  // namespace flowspan::service
