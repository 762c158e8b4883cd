#pragma once
// Reads what an HTTP endpoint or a command answered as messages of a tool.

#include "tools/tool.hpp"

#include <string>
#include <string_view>

namespace flowspan::tools {

/// JSON is read as a reply of ours if it is an object with a list `messages`, each
/// `{type: text | link | json | file | variable, ...}`, or one whose members are only `text`,
/// `json`, `files`, `links` and `variables`. Other JSON gives its objects as JSON messages and the
/// whole as text; what is no JSON is text.
[[nodiscard]] ToolReply read_tool_reply(std::string_view body);

/// JSON messages and text of any JSON value.
[[nodiscard]] ToolReply reply_of_json(const json::value& data, std::string text);

/// What a model is told of a reply: texts, links, JSON and the names of files.
[[nodiscard]] std::string to_model_text(const ToolReply& reply);

}  // namespace flowspan::tools
