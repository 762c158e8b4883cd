#include "nodes/list_operator/file_fields.hpp"

#include "flowspan/value/file.hpp"

#include <algorithm>
#include <array>

namespace flowspan::nodes::list_operator {

FieldType field_type(std::string_view key) noexcept {
    constexpr std::array<std::string_view, 5> kTexts = {
        "name", "extension", "mime_type", "url", "related_id"
    };
    if (std::ranges::find(kTexts, key) != kTexts.end()) {
        return FieldType::text;
    }
    if (key == "type" || key == "transfer_method") {
        return FieldType::choice;
    }
    return key == "size" ? FieldType::number : FieldType::none;
}

json::value field_of(const json::value& file, std::string_view key) {
    auto attribute = value::file_attribute(file, key).value_or(json::value());
    if (!attribute.is_null()) {
        return attribute;
    }
    return field_type(key) == FieldType::number ? json::value(-1) : json::value("");
}

}  // namespace flowspan::nodes::list_operator
