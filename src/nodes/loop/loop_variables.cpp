#include "nodes/loop/loop_variables.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::nodes::loop {

namespace {

using value::ValueType;

bool is_list_written_as_text(ValueType type) noexcept {
    return type == ValueType::array_string || type == ValueType::array_number ||
           type == ValueType::array_object;
}

// The editor stores these lists as JSON text; anything else in their place counts as empty.
Result<value::Value> list_from_text(engine::NodeContext& context, const LoopVariable& variable) {
    const auto text = string_or_empty(variable.constant);
    if (text.empty()) {
        const bool is_empty =
            variable.constant.is_string() ||
            (variable.constant.is_array() && variable.constant.get_array().empty());
        if (!is_empty) {
            context.warn(
                "loop.variable_ignored",
                fmt::format(
                    "loop variable {} starts as an empty list: its value is no JSON text",
                    variable.label
                )
            );
        }
        return value::Value(json::array());
    }
    auto parsed = parse_json(text);
    if (!parsed) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format("Invalid value for loop variable {}", variable.label)
        );
    }
    return value::Value(*std::move(parsed));
}

Result<value::Value> constant_value(engine::NodeContext& context, const LoopVariable& variable) {
    if (is_list_written_as_text(variable.type)) {
        return list_from_text(context, variable);
    }
    auto typed = value::Value::typed(variable.constant, variable.type);
    if (!typed && variable.constant.is_string()) {
        if (auto parsed = parse_json(variable.constant.get_string())) {
            typed = value::Value::typed(*std::move(parsed), variable.type);
        }
    }
    if (!typed) {
        return failure(
            ErrorCode::type_mismatch,
            fmt::format(
                "Invalid value for loop variable {}: expected {}",
                variable.label,
                value::to_string(variable.type)
            )
        );
    }
    return value::Value(typed->json());
}

}  // namespace

std::vector<LoopVariable> read_loop_variables(const dsl::DataReader& reader, std::string_view key) {
    std::vector<LoopVariable> variables;
    for (const auto& entry : reader.objects(key)) {
        LoopVariable variable;
        variable.label = entry.required_text("label");
        variable.type = entry.value_type("var_type").value_or(ValueType::string);
        variable.is_constant = entry.required_enumeration(
            "value_type", {{"constant", true}, {"variable", false}}, true
        );
        if (!variable.is_constant) {
            const auto* source = entry.find("value");
            if (source != nullptr && source->is_array()) {
                variable.source = entry.selector("value");
            }
        } else if (const auto* constant = entry.find("value")) {
            variable.constant = *constant;
        }
        variables.push_back(std::move(variable));
    }
    return variables;
}

Result<value::Value> initial_value(engine::NodeContext& context, const LoopVariable& variable) {
    if (variable.is_constant) {
        return constant_value(context, variable);
    }
    const auto found = context.variables().find(variable.source);
    if (!found) {
        return failure(
            ErrorCode::not_found, fmt::format("Invalid value for loop variable {}", variable.label)
        );
    }
    return value::Value(found->json());
}

}  // namespace flowspan::nodes::loop
