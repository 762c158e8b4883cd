#include "cli/pause_report.hpp"

#include "service/form_answer.hpp"

#include <fmt/format.h>

#include <vector>

namespace flowspan::cli {

namespace {

std::string expiration_of(const json::object& form) {
    const auto* seconds = form.if_contains("expiration_time");
    if (seconds == nullptr || !seconds->is_int64()) {
        return {};
    }
    return " until " + to_iso8601(SystemTime(std::chrono::seconds(seconds->get_int64())));
}

std::string describe_field(const service::InputField& field) {
    std::string text = fmt::format("    {} ({})", field.variable, field.type);
    if (!field.options.empty()) {
        text += fmt::format(": {}", fmt::join(field.options, ", "));
    }
    return text + "\n";
}

std::string describe_actions(const json::object& form) {
    std::vector<std::string> actions;
    const auto* list = form.if_contains("actions");
    if (list != nullptr && list->is_array()) {
        for (const auto& action : list->get_array()) {
            actions.push_back(
                fmt::format("{} ({})", string_member(action, "id"), string_member(action, "title"))
            );
        }
    }
    return fmt::format("{}", fmt::join(actions, ", "));
}

std::string describe_waiting_form(const json::object& form) {
    std::string text = fmt::format(
        "{} waits for an answer{} [form {}]\n",
        string_member(form, "node_title"),
        expiration_of(form),
        string_member(form, "form_id")
    );
    if (const auto content = string_member(form, "form_content"); !content.empty()) {
        text += fmt::format("    {}\n", content);
    }
    for (const auto& field : service::describe_form(form).fields) {
        text += describe_field(field);
    }
    return text + fmt::format("    actions: {}\n", describe_actions(form));
}

std::string next_command(const std::vector<json::object>& forms, const std::string& file) {
    std::string command = "flowspan resume " + file;
    if (forms.empty()) {
        return command;
    }
    const auto& form = forms.front();
    if (forms.size() > 1) {
        command += fmt::format(" --form {}", string_member(form, "form_id"));
    }
    command += " --action ID";
    for (const auto& field : service::describe_form(form).fields) {
        command += fmt::format(" -i {}=...", field.variable);
    }
    return command;
}

}  // namespace

std::string describe_pause(const service::PausedRun& paused, const std::string& file) {
    std::string text = "the run is paused\n";
    for (const auto& reason : paused.run->pause_reasons) {
        if (string_member(reason, "TYPE") == "scheduled_pause") {
            text += fmt::format("  {}\n", string_member(reason, "message"));
        }
    }
    const auto forms = service::waiting_forms(*paused.run);
    for (const auto& form : forms) {
        text += "  " + describe_waiting_form(form);
    }
    return text + fmt::format("go on with\n  {}\n", next_command(forms, file));
}

}  // namespace flowspan::cli
