#pragma once
// The variables that a loop carries from round to round.

#include "dsl/data_reader.hpp"
#include "flowspan/engine/node.hpp"
#include "flowspan/value/value.hpp"

#include <string>
#include <vector>

namespace flowspan::nodes::loop {

struct LoopVariable {
    std::string label;
    value::ValueType type = value::ValueType::string;
    bool is_constant = true;
    json::value constant;
    value::Selector source;
};

[[nodiscard]] std::vector<LoopVariable> read_loop_variables(
    const dsl::DataReader& reader, std::string_view key
);

/// The value a loop begins with.
[[nodiscard]] Result<value::Value> initial_value(
    engine::NodeContext& context, const LoopVariable& variable
);

}  // namespace flowspan::nodes::loop
