#include "service/form_answer.hpp"

#include "service/file_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::service {

namespace {

std::unexpected<Error> invalid(std::string message) {
    return failure(Error(ErrorCode::invalid_input, std::move(message)).with_type("ValueError"));
}

const json::array& list_member(const json::object& object, std::string_view key) {
    static const json::array kNone;
    const auto* found = object.if_contains(key);
    const auto* list = found == nullptr ? nullptr : found->if_array();
    return list == nullptr ? kNone : *list;
}

std::vector<std::string> ids_of(const json::array& items) {
    std::vector<std::string> ids;
    for (const auto& item : items) {
        ids.emplace_back(string_member(item, "id"));
    }
    return ids;
}

std::string describe_forms(const std::vector<json::object>& forms) {
    std::string text;
    for (const auto& form : forms) {
        text += fmt::format(
            "\n  {}  {}", string_member(form, "form_id"), string_member(form, "node_title")
        );
    }
    return text;
}

FileRules file_rules_of(const InputField& field, const json::object& form) {
    for (const auto& input : list_member(form, "inputs")) {
        if (string_member(input, "output_variable_name") == field.variable) {
            return read_file_rules(input, field.variable);
        }
    }
    return {};
}

Result<json::value> check_files(
    const InputField& field, const FileRules& rules, const json::value& given
) {
    if (field.type == "file") {
        if (!given.is_object()) {
            return invalid(fmt::format("{} must be a file", field.variable));
        }
        return take_file(given.get_object(), rules);
    }
    if (!given.is_array()) {
        return invalid(fmt::format("{} must be a list of files", field.variable));
    }
    json::array files;
    for (const auto& item : given.get_array()) {
        if (!item.is_object()) {
            return invalid(fmt::format("{} must be a list of files", field.variable));
        }
        FLOWSPAN_TRY(auto file, take_file(item.get_object(), rules));
        files.push_back(std::move(file));
    }
    if (auto counted = check_file_count(files.size(), rules); !counted) {
        return failure(std::move(counted).error());
    }
    return json::value(std::move(files));
}

Result<json::value> check_field(
    const InputField& field, const json::object& form, const json::value& given
) {
    if (field.type.starts_with("file")) {
        return check_files(field, file_rules_of(field, form), given);
    }
    if (!given.is_string()) {
        return invalid(fmt::format("{} must be a text", field.variable));
    }
    const std::string_view text = given.get_string();
    if (field.type == "select" && std::ranges::find(field.options, text) == field.options.end()) {
        return invalid(
            fmt::format("{} must be one of: {}", field.variable, fmt::join(field.options, ", "))
        );
    }
    return given;
}

}  // namespace

std::vector<json::object> waiting_forms(const engine::RunSnapshot& snapshot) {
    std::vector<json::object> forms;
    for (const auto& reason : snapshot.pause_reasons) {
        if (reason.is_object() && string_member(reason, "TYPE") == "human_input_required") {
            forms.push_back(reason.get_object());
        }
    }
    return forms;
}

Result<json::object> find_form(const engine::RunSnapshot& snapshot, std::string_view form_id) {
    const auto forms = waiting_forms(snapshot);
    if (forms.empty()) {
        return failure(ErrorCode::not_found, "the run waits for no form; resume it without one");
    }
    if (form_id.empty()) {
        if (forms.size() == 1) {
            return forms.front();
        }
        return failure(
            ErrorCode::invalid_input,
            "the run waits for several forms; say which one you answer:" + describe_forms(forms)
        );
    }
    const auto found = std::ranges::find_if(forms, [form_id](const json::object& form) {
        return string_member(form, "form_id") == form_id;
    });
    if (found == forms.end()) {
        return failure(
            ErrorCode::not_found,
            fmt::format("the run does not wait for the form `{}`, but for:", form_id) +
                describe_forms(forms)
        );
    }
    return *found;
}

InputForm describe_form(const json::object& form) {
    InputForm described;
    for (const auto& input : list_member(form, "inputs")) {
        InputField field;
        field.variable = string_member(input, "output_variable_name");
        field.label = field.variable;
        field.type = string_member(input, "type");
        field.is_required = true;
        if (const auto* source = find_member(input, "option_source")) {
            if (source->is_object()) {
                for (const auto& option : list_member(source->get_object(), "value")) {
                    field.options.emplace_back(string_or_empty(option));
                }
            }
        }
        described.fields.push_back(std::move(field));
    }
    return described;
}

Result<json::object> check_form_answer(
    const json::object& form, std::string_view action, const json::object& inputs
) {
    const auto actions = ids_of(list_member(form, "actions"));
    if (std::ranges::find(actions, action) == actions.end()) {
        return invalid(fmt::format(
            "Invalid action: {}; choose one of: {}",
            action.empty() ? "none was given" : action,
            fmt::join(actions, ", ")
        ));
    }
    json::object checked;
    std::vector<std::string> missing;
    std::vector<std::string> problems;
    const auto* defaults = form.if_contains("resolved_default_values");
    for (const auto& field : describe_form(form).fields) {
        const auto* given = inputs.if_contains(field.variable);
        if (given == nullptr && defaults != nullptr) {
            given = find_member(*defaults, field.variable);
        }
        if (given == nullptr) {
            missing.push_back(field.variable);
            continue;
        }
        auto value = check_field(field, form, *given);
        if (value) {
            checked[field.variable] = *std::move(value);
        } else {
            problems.push_back(value.error().message);
        }
    }
    if (!missing.empty()) {
        problems.push_back(fmt::format("Missing required inputs: {}", fmt::join(missing, ", ")));
    }
    if (!problems.empty()) {
        return invalid(fmt::format("{}", fmt::join(problems, "\n")));
    }
    return json::object{{"action", action}, {"inputs", std::move(checked)}};
}

}  // namespace flowspan::service
