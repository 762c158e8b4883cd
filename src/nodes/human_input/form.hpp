#pragma once
// The form of a human-input node as its data describes it.

#include "dsl/data_reader.hpp"
#include "flowspan/engine/node.hpp"
#include "flowspan/value/text_template.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes::human_input {

struct FormInput {
    std::string type;  ///< `paragraph`, `text-input`, `select`, `file` or `file-list`
    std::string name;
    json::object definition;           ///< as the file has it
    std::string constant_default;      ///< text fields
    value::Selector default_selector;  ///< text fields; empty: the constant
    value::Selector options_selector;  ///< `select`; empty: the options of the definition
};

struct FormAction {
    std::string id;  ///< also the handle of the edge that it takes
    std::string title;
    std::string style;
};

struct Form {
    std::string node_title;
    value::TextTemplate content;
    std::vector<FormInput> inputs;
    std::vector<FormAction> actions;
    std::chrono::seconds time_max{0};
};

[[nodiscard]] Form read_form(const dsl::DataReader& reader);

/// What somebody has to see and to answer: fields and defaults resolved, as the service shows it.
[[nodiscard]] json::object describe_form(
    engine::NodeContext& context,
    const Form& form,
    const std::string& form_id,
    SystemTime expires_at
);

/// The form's text with `{{#$output.NAME#}}` replaced by what was submitted.
[[nodiscard]] std::string render_content(std::string_view content, const json::object& submitted);

}  // namespace flowspan::nodes::human_input
