#pragma once
// How nodes read variables: by selector, with what the format says about absent ones.

#include "dsl/data_reader.hpp"
#include "flowspan/engine/node.hpp"
#include "flowspan/value/text_template.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

/// An entry of a `variables` list: what a node calls a variable, and where it stands.
struct NamedSelector {
    std::string name;
    value::Selector selector;
};

/// Reads `{variable, value_selector}` entries.
[[nodiscard]] std::vector<NamedSelector> read_named_selectors(
    const dsl::DataReader& reader, std::string_view key
);

/// The same, but an absent list is a problem.
[[nodiscard]] std::vector<NamedSelector> read_required_named_selectors(
    const dsl::DataReader& reader, std::string_view key
);

/// The variable, or empty with a `variable.missing` warning.
[[nodiscard]] std::optional<value::Value> find_or_warn(
    engine::NodeContext& context, const value::Selector& selector
);

/// Warns about each placeholder of `text` that names no variable.
void warn_about_missing(engine::NodeContext& context, const value::TextTemplate& text);

/// Text of a template field; missing variables are warned about.
[[nodiscard]] std::string resolve(engine::NodeContext& context, const value::TextTemplate& text);

/// What nodes that begin a run hand on: each variable of a reserved group as `prefix.name`. Secrets
/// stay where they are: a copy among the outputs would end in events and logs.
void add_reserved_variables(
    const value::VariablePool& pool,
    std::string_view prefix,
    std::vector<engine::NodeOutput>& outputs
);

/// `['node', 'name']`, as messages name a selector.
[[nodiscard]] std::string selector_text(const value::Selector& selector);

/// The JSON of a value for records: secrets are masked.
[[nodiscard]] json::value for_record(const value::Value& value);

/// A failure that the app format reports as `WorkflowNodeError` with nothing recorded.
[[nodiscard]] std::unexpected<Error> fail_bare(
    engine::NodeContext& context, ErrorCode code, std::string message
);
[[nodiscard]] std::unexpected<Error> fail_bare(engine::NodeContext& context, Error error);

}  // namespace flowspan::nodes
