#pragma once
// Arguments of tools as app files hold them: fixed, a template, or a variable.

#include "flowspan/engine/node.hpp"
#include "flowspan/value/text_template.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace flowspan::nodes {

struct ToolInput {
    enum class Kind : std::uint8_t { constant, mixed, variable };

    std::string name;
    Kind kind = Kind::constant;
    json::value constant = nullptr;  ///< texts within it are templates
    value::TextTemplate text = {};   ///< of `mixed`
    value::Selector selector = {};   ///< of `variable`
};

/// Reads `{type: mixed | variable | constant, value}`; any other value is a constant itself.
[[nodiscard]] ToolInput read_tool_input(std::string name, const json::value& data);

/// True for a mapping with one of the three types.
[[nodiscard]] bool is_tool_input(const json::value& data);

/// What an input comes to in a run.
struct ToolArgument {
    std::optional<json::value> value;  ///< empty: the variable does not exist
    json::value recorded;              ///< the same with secrets masked
};

/// Missing variables in texts are warned about.
[[nodiscard]] ToolArgument resolve_tool_input(engine::NodeContext& context, const ToolInput& input);

}  // namespace flowspan::nodes
