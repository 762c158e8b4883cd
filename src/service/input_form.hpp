#pragma once
// Checks a caller's inputs against the start form.

#include "dsl/app.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/engine/node.hpp"

#include <string>
#include <vector>

namespace flowspan::service {

/// One field of the form, for help texts and prompts.
struct InputField {
    std::string variable;
    std::string label;
    std::string type;  ///< `text-input`, `paragraph`, `select`, `number`, `checkbox`, `file`, ...
    bool is_required = false;
    std::vector<std::string> options;
};

/// The form of the app's start node; empty if it has none.
[[nodiscard]] std::vector<InputField> describe_form(const dsl::Graph& graph);

/// The validated variables in the form's order: declared ones only, defaults filled in, absent
/// optional ones as `none`. All problems are in one error, one a line, with type `ValueError`.
[[nodiscard]] Result<std::vector<engine::NodeOutput>> validate_inputs(
    const dsl::Graph& graph, const json::object& inputs
);

}  // namespace flowspan::service
