#include "dsl/detail/node_shape.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace flowspan::dsl::detail {

namespace {

json::object* object_at(json::object& data, std::string_view key) {
    auto* member = data.if_contains(key);
    return member == nullptr ? nullptr : member->if_object();
}

bool is_null_at(const json::object& data, std::string_view key) {
    const auto* member = data.if_contains(key);
    return member != nullptr && member->is_null();
}

void drop_null(json::object& data, std::string_view key) {
    if (is_null_at(data, key)) {
        data.stable_erase(key);
    }
}

void drop_nulls(json::object& data) {
    for (auto* member = data.begin(); member != data.end();) {
        member = member->value().is_null() ? data.stable_erase(member) : member + 1;
    }
}

void rename(json::object& data, std::string_view from, std::string_view to) {
    if (auto* member = data.if_contains(from)) {
        auto value = std::move(*member);
        data.stable_erase(from);
        // A member with the new name counts.
        data.emplace(to, std::move(value));
    }
}

void normalise_llm(json::object& data) {
    if (auto* vision = object_at(data, "vision")) {
        drop_null(*vision, "configs");
    }
    drop_null(data, "prompt_config");
    if (auto* config = object_at(data, "prompt_config")) {
        drop_null(*config, "jinja2_variables");
    }
    rename(data, "structured_output_enabled", "structured_output_switch_on");
}

void normalise_iteration(json::object& data) {
    for (const std::string_view key : {"is_parallel", "parallel_nums", "error_handle_mode"}) {
        drop_null(data, key);
    }
    data.emplace("is_parallel", false);
    data.emplace("parallel_nums", 10);
    data.emplace("error_handle_mode", "terminated");
}

void normalise_end(json::object& data) {
    auto* outputs = data.if_contains("outputs");
    if (outputs == nullptr || !outputs->is_array()) {
        return;
    }
    for (auto& output : outputs->get_array()) {
        if (auto* object = output.if_object()) {
            drop_null(*object, "value_type");
            auto& type = object->emplace("value_type", "any").first->value();
            if (type.is_string() && equals_ignore_case(type.get_string().subview(0, 5), "array")) {
                type = to_lower_ascii(type.get_string());
            }
        }
    }
}

// Settings may also be mappings of other kinds, such as the model that a tool is to use.
bool is_input(const json::object& data) {
    const auto* type = data.if_contains("type");
    const auto word = type == nullptr ? std::string_view() : string_or_empty(*type);
    return word == "mixed" || word == "variable" || word == "constant";
}

// An input without a value counts as not given.
void drop_empty_inputs(json::object& inputs) {
    drop_nulls(inputs);
    for (auto* member = inputs.begin(); member != inputs.end();) {
        const auto* input = member->value().if_object();
        const bool is_empty = input != nullptr && is_input(*input) &&
                              (!input->contains("value") || is_null_at(*input, "value"));
        member = is_empty ? inputs.stable_erase(member) : member + 1;
    }
}

void normalise_tool(json::object& data) {
    drop_null(data, "tool_node_version");
    const bool is_old = !data.contains("version") && !data.contains("tool_node_version");
    if (is_old) {
        data.emplace("tool_node_version", "2");
    }
    if (auto* configurations = object_at(data, "tool_configurations")) {
        drop_empty_inputs(*configurations);
        for (auto& member : *configurations) {
            if (is_old && !member.value().is_structured()) {
                auto value = std::move(member.value());
                member.value() = {{"type", "constant"}, {"value", std::move(value)}};
            }
        }
    }
    if (auto* parameters = object_at(data, "tool_parameters")) {
        drop_empty_inputs(*parameters);
    }
}

// What files written by hand leave out or call by the name that it has elsewhere, where only one
// thing can be meant.
void normalise_authored(std::string_view type, json::object& data) {
    if (type == "parameter-extractor") {
        rename(data, "query_variable_selector", "query");
    } else if (type == "code") {
        drop_null(data, "variables");
        data.emplace("variables", json::array());
    } else if (type == "knowledge-retrieval" && !data.contains("single_retrieval_config")) {
        data.emplace("retrieval_mode", "multiple");
    }
}

void normalise_human_input(json::object& data) {
    auto* methods = data.if_contains("delivery_methods");
    if (methods == nullptr || !methods->is_array()) {
        return;
    }
    for (auto& method : methods->get_array()) {
        auto* config = method.is_object() ? object_at(method.get_object(), "config") : nullptr;
        auto* recipients = config == nullptr ? nullptr : object_at(*config, "recipients");
        if (recipients == nullptr) {
            continue;
        }
        rename(*recipients, "whole_workspace", "include_bound_group");
        auto* items = recipients->if_contains("items");
        if (items != nullptr && items->is_array()) {
            for (auto& item : items->get_array()) {
                if (auto* recipient = item.if_object()) {
                    rename(*recipient, "user_id", "reference_id");
                }
            }
        }
    }
}

// All that the format knows, whether it can run here or not.
constexpr std::array<std::string_view, 31> kNodeTypes = {
    "start",
    "end",
    "answer",
    "llm",
    "knowledge-retrieval",
    "question-classifier",
    "if-else",
    "code",
    "template-transform",
    "http-request",
    "tool",
    "variable-aggregator",
    "variable-assigner",
    "assigner",
    "iteration",
    "iteration-start",
    "loop",
    "loop-start",
    "loop-end",
    "parameter-extractor",
    "document-extractor",
    "list-operator",
    "agent",
    "human-input",
    "trigger-webhook",
    "trigger-schedule",
    "trigger-plugin",
    "datasource",
    "knowledge-index",
    "start-placeholder",
    "datasource-empty",
};

}  // namespace

std::string spell_type(std::string_view type) {
    auto spelled = to_lower_ascii(trim(type));
    std::ranges::replace(spelled, '_', '-');
    std::ranges::replace(spelled, ' ', '-');
    return std::ranges::find(kNodeTypes, spelled) == kNodeTypes.end() ? std::string(type) : spelled;
}

void normalise_node(NodeSpec& spec) {
    auto& data = spec.data.get_object();
    if (spec.type == "variable-assigner") {
        spec.type = "variable-aggregator";
        data["type"] = spec.type;
    } else if (spec.type == "if-else") {
        // Null means the old shape, with the conditions in the data itself.
        drop_null(data, "cases");
    } else if (spec.type == "llm") {
        normalise_llm(data);
    } else if (spec.type == "iteration") {
        normalise_iteration(data);
    } else if (spec.type == "end") {
        normalise_end(data);
    } else if (spec.type == "tool") {
        normalise_tool(data);
    } else if (spec.type == "human-input") {
        normalise_human_input(data);
    } else {
        normalise_authored(spec.type, data);
    }
}

}  // namespace flowspan::dsl::detail
