#pragma once
// The parameters that a parameter-extractor looks for: their schema, and what a model gave for
// them.

#include "dsl/data_reader.hpp"
#include "flowspan/engine/node.hpp"
#include "flowspan/value/value.hpp"

#include <string>
#include <vector>

namespace flowspan::nodes::parameter_extractor {

struct Parameter {
    std::string name;
    value::ValueType type = value::ValueType::string;
    bool is_select = false;  ///< a string with options
    std::vector<std::string> options;
    std::string description;
    bool is_required = false;
};

[[nodiscard]] std::vector<Parameter> read_parameters(
    const dsl::DataReader& reader, std::string_view key
);

/// As the file has them, for records.
[[nodiscard]] json::array to_json(const std::vector<Parameter>& parameters);

/// What the model is asked to fill in.
[[nodiscard]] json::object to_schema(const std::vector<Parameter>& parameters);

/// The first thing that is wrong with a reply; empty if it is all right.
[[nodiscard]] std::string find_mistake(
    const json::object& reply, const std::vector<Parameter>& parameters
);

/// One output a parameter, made to fit; what is unusable or missing becomes its type's zero.
[[nodiscard]] std::vector<engine::NodeOutput> to_outputs(
    const json::object& reply, const std::vector<Parameter>& parameters
);

}  // namespace flowspan::nodes::parameter_extractor
