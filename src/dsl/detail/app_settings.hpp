#pragma once
// The parts of an app beside its graph: features, and the model configuration of chat apps.

#include "dsl/app.hpp"
#include "dsl/detail/findings.hpp"

namespace flowspan::dsl::detail {

/// `workflow.features` with the old form of `file_upload` rewritten; an empty mapping if absent.
[[nodiscard]] json::value load_features(const json::value& workflow, Findings& findings);

/// `model_config` as it is, after a look at the parts no chat app can do without.
[[nodiscard]] json::value load_model_config(const json::value& file, Findings& findings);

}  // namespace flowspan::dsl::detail
