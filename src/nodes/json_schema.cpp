// The boundary with valijson, which reports broken schemas by exceptions and has no other way.

#include "nodes/json_schema.hpp"

#define VALIJSON_USE_EXCEPTIONS 1

#include <fmt/format.h>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace flowspan::nodes {

namespace {

using Adapter = valijson::adapters::BoostJsonAdapter;

bool uses_patterns(const json::value& schema) {
    if (const auto* array = schema.if_array()) {
        return std::ranges::any_of(*array, uses_patterns);
    }
    if (const auto* object = schema.if_object()) {
        return std::ranges::any_of(*object, [](const json::key_value_pair& member) {
            return member.key() == "pattern" || member.key() == "patternProperties" ||
                   member.key() == "format" || uses_patterns(member.value());
        });
    }
    return false;
}

bool has_text_beyond_pattern_limit(const json::value& document) {
    if (const auto* text = document.if_string()) {
        return text->size() > kPatternSubjectMax;
    }
    if (const auto* array = document.if_array()) {
        return std::ranges::any_of(*array, has_text_beyond_pattern_limit);
    }
    if (const auto* object = document.if_object()) {
        return std::ranges::any_of(*object, [](const json::key_value_pair& member) {
            return has_text_beyond_pattern_limit(member.value());
        });
    }
    return false;
}

// The validator names places as `<root>`, `[name]`, `[0]`.
std::string to_path(const std::vector<std::string>& context) {
    std::string path = "$";
    for (const std::string_view part : context) {
        if (!part.starts_with('[') || !part.ends_with(']')) {
            continue;
        }
        const auto inner = part.substr(1, part.size() - 2);
        if (inner.find_first_not_of("0123456789") == std::string_view::npos) {
            path += part;
        } else {
            path += '.';
            path += inner;
        }
    }
    return path;
}

// Only these may be the `type` of a schema; the validator's parser lets any text pass.
constexpr std::array<std::string_view, 7> kTypes = {
    "string", "number", "integer", "boolean", "object", "array", "null"
};

bool is_type_name(const json::value& type) {
    return std::ranges::find(kTypes, string_or_empty(type)) != kTypes.end();
}

// The first `type` below `schema` that names no type, as a path; empty if there is none.
std::string find_bad_type(const json::value& schema, const std::string& path) {
    const auto* object = schema.if_object();
    if (object == nullptr) {
        return {};
    }
    if (const auto* type = object->if_contains("type")) {
        const auto* list = type->if_array();
        if (list == nullptr ? !is_type_name(*type) : !std::ranges::all_of(*list, is_type_name)) {
            return path + ".type";
        }
    }
    if (const auto* properties = find_member(schema, "properties");
        properties != nullptr && properties->is_object()) {
        for (const auto& member : properties->get_object()) {
            const auto child = path + ".properties." + std::string(member.key());
            if (auto bad = find_bad_type(member.value(), child); !bad.empty()) {
                return bad;
            }
        }
    }
    const auto* items = object->if_contains("items");
    return items == nullptr ? std::string() : find_bad_type(*items, path + ".items");
}

}  // namespace

struct JsonSchema::Compiled {
    json::value source;
    valijson::Schema schema;
    bool has_patterns = false;
};

JsonSchema::JsonSchema(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

std::expected<JsonSchema, SchemaMismatch> JsonSchema::compile(const json::value& schema) {
    if (!schema.is_object()) {
        return std::unexpected(SchemaMismatch{"$", "the schema must be an object"});
    }
    if (const auto bad = find_bad_type(schema, "$"); !bad.empty()) {
        return std::unexpected(SchemaMismatch{bad, "unknown type"});
    }
    auto compiled = std::make_shared<Compiled>();
    compiled->source = schema;
    compiled->has_patterns = uses_patterns(schema);
    try {
        valijson::SchemaParser(valijson::SchemaParser::kDraft7)
            .populateSchema(Adapter(compiled->source), compiled->schema);
    } catch (const std::exception& exception) {
        return std::unexpected(SchemaMismatch{"$", exception.what()});
    }
    return JsonSchema(std::move(compiled));
}

std::optional<SchemaMismatch> JsonSchema::find_mismatch(const json::value& document) const {
    if (compiled_->has_patterns && has_text_beyond_pattern_limit(document)) {
        return SchemaMismatch{
            "$", fmt::format("a text is longer than {} bytes", kPatternSubjectMax)
        };
    }
    try {
        valijson::Validator validator;
        valijson::ValidationResults results;
        if (validator.validate(compiled_->schema, Adapter(document), &results)) {
            return std::nullopt;
        }
        const auto& first = *results.begin();
        return SchemaMismatch{to_path(first.context), first.description};
    } catch (const std::exception&) {
        // A `pattern` that is no regular expression shows only when it is used.
        return SchemaMismatch{"$", "the schema has an invalid pattern"};
    }
}

}  // namespace flowspan::nodes
