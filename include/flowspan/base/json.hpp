#pragma once
// JSON as the whole house speaks it: Boost.JSON under short names, with limits on what is parsed.

#include "flowspan/base/result.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace flowspan {

namespace json = boost::json;

/// Nesting deeper than this is refused, so that no recursion over a document can exhaust the stack.
inline constexpr std::size_t kJsonDepthMax = 256;

/// Parses one JSON document. Errors name the byte offset. Integers outside int64 become doubles;
/// invalid UTF-8 is an error.
[[nodiscard]] Result<json::value> parse_json(std::string_view text);

/// Compact JSON without spaces; non-ASCII kept.
[[nodiscard]] std::string to_json_text(const json::value& value);

/// The value at `key`, or null if `value` is no object or lacks the key.
[[nodiscard]] const json::value* find_member(
    const json::value& value, std::string_view key
) noexcept;

/// The same for an object, which would otherwise be copied into a value that is gone at once.
[[nodiscard]] const json::value* find_member(
    const json::object& object, std::string_view key
) noexcept;

/// The text at `key`, or `fallback` if absent or not a string.
[[nodiscard]] std::string_view string_member(
    const json::value& value, std::string_view key, std::string_view fallback = {}
) noexcept;

[[nodiscard]] std::string_view string_member(
    const json::object& object, std::string_view key, std::string_view fallback = {}
) noexcept;

/// A view of a JSON string; empty for any other kind.
[[nodiscard]] std::string_view string_or_empty(const json::value& value) noexcept;

/// Appends `text` as a quoted JSON string; non-ASCII kept. `text` must be valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

/// How Python names the type of a JSON value (`str`, `NoneType`, ...), for messages that app
/// builders know from there.
[[nodiscard]] std::string_view python_type_name(const json::value& value) noexcept;

}  // namespace flowspan
