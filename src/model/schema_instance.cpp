#include "model/schema_instance.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

namespace flowspan::model {

namespace {

constexpr int kDepthMax = 16;
constexpr std::int64_t kItemsMax = 16;
constexpr std::int64_t kTextLengthMax = 1000;

double number_member(const json::value& schema, std::string_view key, double fallback) {
    const auto* member = find_member(schema, key);
    if (member == nullptr) {
        return fallback;
    }
    if (member->is_int64()) {
        return static_cast<double>(member->get_int64());
    }
    return member->is_double() ? member->get_double() : fallback;
}

std::int64_t count_member(const json::value& schema, std::string_view key, std::int64_t fallback) {
    const auto* member = find_member(schema, key);
    return member != nullptr && member->is_int64() ? member->get_int64() : fallback;
}

const json::value* first_item(const json::value* list) {
    return list != nullptr && list->is_array() && !list->get_array().empty()
               ? &list->get_array().front()
               : nullptr;
}

/// The first type that is not null, or what the other keywords suggest.
std::string_view type_of(const json::value& schema) {
    const auto* type = find_member(schema, "type");
    if (type != nullptr && type->is_string()) {
        return type->get_string();
    }
    if (type != nullptr && type->is_array()) {
        for (const auto& option : type->get_array()) {
            if (option.is_string() && option.get_string() != "null") {
                return option.get_string();
            }
        }
        return "null";
    }
    return find_member(schema, "items") != nullptr ? "array" : "object";
}

std::string make_text(const json::value& schema) {
    const auto format = string_member(schema, "format");
    if (format == "date-time") {
        return "2024-01-01T00:00:00Z";
    }
    if (format == "date") {
        return "2024-01-01";
    }
    if (format == "email") {
        return "demo@example.com";
    }
    if (format == "uri") {
        return "https://example.com/";
    }
    const auto shortest =
        std::clamp<std::int64_t>(count_member(schema, "minLength", 0), 0, kTextLengthMax);
    const auto longest = std::max<std::int64_t>(count_member(schema, "maxLength", 4), 0);
    std::string text = "demo";
    while (static_cast<std::int64_t>(text.size()) < shortest) {
        text += '.';
    }
    text.resize(std::min(text.size(), static_cast<std::size_t>(std::max(longest, shortest))));
    return text;
}

double make_number(const json::value& schema, double preferred) {
    const double lowest = std::max(
        number_member(schema, "minimum", -1e9), number_member(schema, "exclusiveMinimum", -1e9) + 1
    );
    const double highest = std::min(
        number_member(schema, "maximum", 1e9), number_member(schema, "exclusiveMaximum", 1e9) - 1
    );
    return std::max(lowest, std::min(preferred, highest));
}

class Maker {
public:
    explicit Maker(const json::value& root) : root_(root) {}

    json::value make(const json::value& schema, int depth) {
        if (depth > kDepthMax || !schema.is_object()) {
            return nullptr;
        }
        if (const auto* fixed = find_member(schema, "const")) {
            return *fixed;
        }
        if (const auto* option = first_item(find_member(schema, "enum"))) {
            return *option;
        }
        if (const auto* usual = find_member(schema, "default")) {
            return *usual;
        }
        if (const auto* target = find_reference(string_member(schema, "$ref"))) {
            return make(*target, depth + 1);
        }
        for (const auto* key : {"anyOf", "oneOf"}) {
            if (const auto* option = first_item(find_member(schema, key))) {
                return make(*option, depth + 1);
            }
        }
        return make_typed(schema, depth);
    }

private:
    /// `#/$defs/name` and the like.
    [[nodiscard]] const json::value* find_reference(std::string_view reference) const {
        if (!reference.starts_with("#/")) {
            return nullptr;
        }
        const json::value* at = &root_;
        for (const auto name : split(reference.substr(2), '/')) {
            at = find_member(*at, name);
            if (at == nullptr) {
                return nullptr;
            }
        }
        return at;
    }

    json::value make_typed(const json::value& schema, int depth) {
        const auto type = type_of(schema);
        if (type == "string") {
            return json::value(make_text(schema));
        }
        if (type == "integer") {
            return static_cast<std::int64_t>(std::ceil(make_number(schema, 1)));
        }
        if (type == "number") {
            return make_number(schema, 1.5);
        }
        if (type == "boolean") {
            return true;
        }
        if (type == "array") {
            return make_array(schema, depth);
        }
        return type == "object" ? json::value(make_object(schema, depth)) : json::value();
    }

    json::array make_array(const json::value& schema, int depth) {
        const auto* items = find_member(schema, "items");
        const auto longest = std::clamp<std::int64_t>(count_member(schema, "maxItems", 1), 0, 1);
        const auto count =
            std::clamp<std::int64_t>(count_member(schema, "minItems", longest), longest, kItemsMax);
        json::array array;
        for (std::int64_t i = 0; i < count; ++i) {
            array.push_back(items == nullptr ? json::value("demo") : make(*items, depth + 1));
        }
        return array;
    }

    json::object make_object(const json::value& schema, int depth) {
        json::object object;
        const auto* properties = find_member(schema, "properties");
        if (properties != nullptr && properties->is_object()) {
            for (const auto& property : properties->get_object()) {
                object[property.key()] = make(property.value(), depth + 1);
            }
        }
        const auto* parts = find_member(schema, "allOf");
        if (parts != nullptr && parts->is_array()) {
            for (const auto& part : parts->get_array()) {
                auto made = make(part, depth + 1);
                if (made.is_object()) {
                    for (auto& member : made.get_object()) {
                        object[member.key()] = std::move(member.value());
                    }
                }
            }
        }
        return object;
    }

    const json::value& root_;
};

}  // namespace

json::value make_schema_instance(const json::value& schema) {
    return Maker(schema).make(schema, 0);
}

}  // namespace flowspan::model
