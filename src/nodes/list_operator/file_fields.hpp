#pragma once
// Attributes of files as list operators filter and sort by them.

#include "flowspan/base/json.hpp"

#include <string_view>

namespace flowspan::nodes::list_operator {

/// How an attribute is compared.
enum class FieldType : std::uint8_t { none, text, choice, number };

/// FieldType::none for what is no attribute.
[[nodiscard]] FieldType field_type(std::string_view key) noexcept;

/// The attribute; absent texts are empty, an absent size is -1.
[[nodiscard]] json::value field_of(const json::value& file, std::string_view key);

}  // namespace flowspan::nodes::list_operator
