#pragma once
// Answers to the forms of human-input nodes, checked before a run is resumed with them.

#include "flowspan/base/json.hpp"
#include "flowspan/engine/run_snapshot.hpp"
#include "service/input_form.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::service {

/// The forms that a paused run waits for, as its pause reasons have them.
[[nodiscard]] std::vector<json::object> waiting_forms(const engine::RunSnapshot& snapshot);

/// The form with this id, or the only one if `form_id` is empty. Errors: `not_found`, or
/// `invalid_input` if there are several; both name the forms.
[[nodiscard]] Result<json::object> find_form(
    const engine::RunSnapshot& snapshot, std::string_view form_id
);

/// The fields of a form, for help texts and prompts.
[[nodiscard]] InputForm describe_form(const json::object& form);

/// `{action, inputs}` as the node takes it. Missing fields take the form's defaults. Errors:
/// `invalid_input` with all problems, one a line.
[[nodiscard]] Result<json::object> check_form_answer(
    const json::object& form, std::string_view action, const json::object& inputs
);

}  // namespace flowspan::service
