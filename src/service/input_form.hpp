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

struct InputForm {
    std::vector<InputField> fields;
    bool is_open = false;  ///< takes whatever else it is given, too (events of services)
};

/// The form of the node that a run begins with: a start node's, or the declared headers, parameters
/// and body fields of a webhook trigger (or `webhook_data`, the whole request).
[[nodiscard]] InputForm describe_form(const dsl::Graph& graph);

/// The validated variables in the form's order: declared ones only (all, if the form is open),
/// defaults filled in, absent optional ones as `none`. What a webhook's whole request holds is left
/// to the trigger. All problems are in one error, one a line, with type `ValueError`.
[[nodiscard]] Result<std::vector<engine::NodeOutput>> validate_inputs(
    const dsl::Graph& graph, const json::object& inputs
);

}  // namespace flowspan::service
