#include "nodes/human_input/form.hpp"

#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flowspan::nodes::human_input {

namespace {

constexpr std::array<std::string_view, 5> kInputTypes = {
    "paragraph", "text-input", "select", "file", "file-list"
};
// Limits of the editor; what is longer cannot have come from it.
constexpr std::size_t kActionIdMax = 20;
constexpr std::size_t kActionTitleMax = 100;
constexpr std::int64_t kHoursDefault = 36;
constexpr std::string_view kOutputOpen = "{{#$output.";
constexpr std::string_view kOutputClose = "#}}";

/// `{type: variable | constant, selector, value}`, of which only one part counts.
value::Selector variable_source(const dsl::DataReader& source) {
    return source.text("type") == "variable" ? source.selector("selector") : value::Selector();
}

FormInput read_input(const dsl::DataReader& reader) {
    FormInput input;
    input.type = reader.required_text("type");
    input.name = reader.required_text("output_variable_name");
    if (reader.data().is_object()) {
        input.definition = reader.data().get_object();
    }
    if (reader.has("type") && std::ranges::find(kInputTypes, input.type) == kInputTypes.end()) {
        reader.report("type", "must be paragraph, text-input, select, file or file-list");
    }
    if (input.type == "select") {
        input.options_selector = variable_source(reader.object("option_source"));
    } else if (!input.type.starts_with("file") && reader.find("default") != nullptr &&
               reader.find("default")->is_object()) {
        const auto source = reader.object("default");
        input.default_selector = variable_source(source);
        input.constant_default = source.text("value");
    }
    return input;
}

std::vector<FormInput> read_inputs(const dsl::DataReader& reader) {
    std::vector<FormInput> inputs;
    for (const auto& item : reader.objects("inputs")) {
        auto input = read_input(item);
        if (std::ranges::find(inputs, input.name, &FormInput::name) != inputs.end()) {
            item.report(
                "output_variable_name", fmt::format("names `{}` a second time", input.name)
            );
        }
        inputs.push_back(std::move(input));
    }
    return inputs;
}

std::vector<FormAction> read_actions(const dsl::DataReader& reader) {
    std::vector<FormAction> actions;
    for (const auto& item : reader.objects("user_actions")) {
        FormAction action;
        action.id = item.required_text("id");
        action.title = item.text("title");
        action.style = item.text("button_style", "default");
        if (action.id.size() > kActionIdMax) {
            item.report("id", fmt::format("must have at most {} characters", kActionIdMax));
        }
        if (action.title.size() > 4 * kActionTitleMax) {  // bytes; a character may take four
            item.report("title", fmt::format("must have at most {} characters", kActionTitleMax));
        }
        if (std::ranges::find(actions, action.id, &FormAction::id) != actions.end()) {
            item.report("id", fmt::format("names `{}` a second time", action.id));
        }
        actions.push_back(std::move(action));
    }
    return actions;
}

json::value describe_input(engine::NodeContext& context, const FormInput& input) {
    auto description = input.definition;
    if (!input.options_selector.empty()) {
        const auto options = find_or_warn(context, input.options_selector);
        auto& source = description["option_source"];
        if (source.is_object() && options && options->json().is_array()) {
            source.get_object()["value"] = options->json();
        }
    }
    return description;
}

std::string text_of(const json::value& submitted) {
    if (const auto* files = submitted.if_array()) {
        return fmt::format("[{} files]", files->size());
    }
    return submitted.is_object() ? "[file]" : value::Value(submitted).to_text();
}

}  // namespace

Form read_form(const dsl::DataReader& reader) {
    Form form;
    form.node_title = reader.spec().title;
    form.content = reader.text_template("form_content");
    form.inputs = read_inputs(reader);
    form.actions = read_actions(reader);
    const auto unit = reader.enumeration(
        "timeout_unit",
        {{"hour", std::chrono::seconds(std::chrono::hours(1))},
         {"day", std::chrono::seconds(std::chrono::hours(24))}},
        std::chrono::seconds(std::chrono::hours(1))
    );
    const auto count = reader.integer("timeout", kHoursDefault);
    if (count < 1 || count > 24 * 366) {
        reader.report("timeout", "must be from 1 to 8784");
    } else {
        form.time_max = count * unit;
    }
    return form;
}

json::object describe_form(
    engine::NodeContext& context,
    const Form& form,
    const std::string& form_id,
    SystemTime expires_at
) {
    json::array inputs;
    json::object defaults;
    for (const auto& input : form.inputs) {
        inputs.push_back(describe_input(context, input));
        if (!input.default_selector.empty()) {
            const auto found = find_or_warn(context, input.default_selector);
            defaults[input.name] = found ? found->to_text() : std::string();
        } else if (!input.constant_default.empty()) {
            defaults[input.name] = input.constant_default;
        }
    }
    json::array actions;
    for (const auto& action : form.actions) {
        actions.push_back(
            json::object{{"id", action.id}, {"title", action.title}, {"button_style", action.style}}
        );
    }
    warn_about_missing(context, form.content);
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(expires_at.time_since_epoch());
    return {
        {"TYPE", "human_input_required"},
        {"session_id", form_id},
        {"form_id", form_id},
        {"node_id", context.node_id()},
        {"node_title", form.node_title},
        {"form_content", form.content.to_markdown(context.variables())},
        {"inputs", std::move(inputs)},
        {"actions", std::move(actions)},
        {"resolved_default_values", std::move(defaults)},
        {"expiration_time", seconds.count()},
    };
}

std::string render_content(std::string_view content, const json::object& submitted) {
    std::string rendered;
    while (true) {
        const auto open = content.find(kOutputOpen);
        const auto close = open == std::string_view::npos
                               ? std::string_view::npos
                               : content.find(kOutputClose, open + kOutputOpen.size());
        if (close == std::string_view::npos) {
            return rendered.append(content);
        }
        rendered.append(content.substr(0, open));
        const auto begin = open + kOutputOpen.size();
        if (const auto* value = submitted.if_contains(content.substr(begin, close - begin))) {
            rendered += text_of(*value);
        }
        content.remove_prefix(close + kOutputClose.size());
    }
}

}  // namespace flowspan::nodes::human_input
