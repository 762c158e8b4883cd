#include "tools/openapi_document.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"
#include "tools/yaml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace flowspan::tools {

namespace {

constexpr std::size_t kReferencesMax = 32;
constexpr std::size_t kOperationsMax = 10'000;
// Schemas may refer to themselves; models need no more than this.
constexpr int kSchemaDepthMax = 8;

const json::object& object_at(const json::value& data, std::string_view key) {
    static const json::object kEmpty;
    const auto* member = find_member(data, key);
    return member != nullptr && member->is_object() ? member->get_object() : kEmpty;
}

const json::array& list_at(const json::value& data, std::string_view key) {
    static const json::array kEmpty;
    const auto* member = find_member(data, key);
    return member != nullptr && member->is_array() ? member->get_array() : kEmpty;
}

bool is_true_at(const json::value& data, std::string_view key) {
    const auto* member = find_member(data, key);
    return member != nullptr && value::python_truth(*member);
}

ParameterType type_of(const json::value& schema) {
    const auto type = string_member(schema, "type", "string");
    if (type == "string" && string_member(schema, "format") == "binary") {
        return ParameterType::file;
    }
    return parse_parameter_type(type);
}

std::optional<ParameterPlace> place_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, ParameterPlace>, 4> kPlaces = {{
        {"path", ParameterPlace::path},
        {"query", ParameterPlace::query},
        {"header", ParameterPlace::header},
        {"cookie", ParameterPlace::cookie},
    }};
    for (const auto& [name, place] : kPlaces) {
        if (name == word) {
            return place;
        }
    }
    return std::nullopt;
}

std::string made_up_name(std::string_view path, std::string_view method) {
    std::string name;
    for (const char c : path) {
        const bool is_kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (is_kept) {
            name += c;
        }
    }
    return fmt::format("{}_{}", name, method);
}

class Reader {
public:
    explicit Reader(const json::value& document) : document_(document) {}

    Result<OpenApiDocument> run() const {
        OpenApiDocument result;
        const auto& paths = object_at(document_, "paths");
        if (paths.empty()) {
            return failure(ErrorCode::invalid_input, "the OpenAPI document has no `paths`");
        }
        if (const auto& servers = list_at(document_, "servers"); !servers.empty()) {
            result.server = string_member(servers.front(), "url");
        }
        for (const auto& path : paths) {
            const auto& item = follow(path.value());
            for (const auto* method : {"get", "post", "put", "delete", "patch", "head"}) {
                const auto* operation = find_member(item, method);
                if (operation != nullptr && result.operations.size() < kOperationsMax) {
                    result.operations.push_back(read_operation(path.key(), method, item, *operation)
                    );
                }
            }
        }
        return result;
    }

private:
    // The part that a `$ref` within the document names.
    [[nodiscard]] const json::value& follow(const json::value& data) const {
        const json::value* at = &data;
        for (std::size_t count = 0; count < kReferencesMax; ++count) {
            const auto reference = string_member(*at, "$ref");
            if (!reference.starts_with("#/")) {
                return *at;
            }
            const auto* target = &document_;
            for (const auto key : split(reference.substr(2), '/')) {
                target = target == nullptr ? nullptr : find_member(*target, key);
            }
            if (target == nullptr) {
                return *at;
            }
            at = target;
        }
        return *at;
    }

    // The schema with what it refers to put in.
    [[nodiscard]] json::value expand(const json::value& data, int depth) const {
        if (const auto* list = data.if_array()) {
            json::array out;
            for (const auto& item : *list) {
                out.push_back(expand(item, depth));
            }
            return out;
        }
        const auto& target = follow(data);
        const auto* object = target.if_object();
        if (object == nullptr) {
            return target;
        }
        if (depth > kSchemaDepthMax) {
            return json::object{{"type", string_member(target, "type", "object")}};
        }
        json::object out;
        for (const auto& member : *object) {
            out[member.key()] = expand(member.value(), depth + 1);
        }
        return out;
    }

    void add_parameter(
        Operation& operation,
        std::string_view name,
        ParameterPlace place,
        const json::value& schema,
        ToolParameter parameter
    ) const {
        parameter.name = name;
        parameter.schema = expand(schema, 0);
        parameter.type = type_of(parameter.schema);
        if (parameter.description.empty()) {
            parameter.description = string_member(parameter.schema, "description");
        }
        if (const auto* value = find_member(parameter.schema, "default")) {
            parameter.default_value = *value;
        }
        operation.parameters.push_back(std::move(parameter));
        operation.places.push_back(place);
    }

    void read_parameters_of(const json::value& owner, Operation& operation) const {
        for (const auto& item : list_at(owner, "parameters")) {
            const auto& data = follow(item);
            const auto place = place_of(string_member(data, "in"));
            const auto name = string_member(data, "name");
            if (!place || name.empty() || find_parameter(operation.parameters, name) != nullptr) {
                continue;
            }
            ToolParameter parameter;
            parameter.description = string_member(data, "description");
            parameter.is_required = is_true_at(data, "required");
            const auto* schema = find_member(data, "schema");
            add_parameter(
                operation, name, *place, schema == nullptr ? json::object() : *schema, parameter
            );
        }
    }

    void read_body(const json::value& data, Operation& operation) const {
        const auto* body = find_member(data, "requestBody");
        if (body == nullptr) {
            return;
        }
        const auto& content = object_at(follow(*body), "content");
        if (content.empty()) {
            return;
        }
        const auto* chosen = content.find("application/json");
        const auto& media = chosen == content.end() ? *content.begin() : *chosen;
        operation.body_type = media.key();
        const auto* schema = find_member(media.value(), "schema");
        if (schema == nullptr) {
            return;
        }
        const auto& resolved = follow(*schema);
        const auto& required = list_at(resolved, "required");
        for (const auto& property : object_at(resolved, "properties")) {
            ToolParameter parameter;
            parameter.is_required =
                std::ranges::find(required, json::value(property.key())) != required.end();
            add_parameter(
                operation, property.key(), ParameterPlace::body, property.value(), parameter
            );
        }
    }

    [[nodiscard]] Operation read_operation(
        std::string_view path,
        std::string_view method,
        const json::value& item,
        const json::value& data
    ) const {
        Operation operation;
        operation.name = string_member(data, "operationId");
        if (operation.name.empty()) {
            operation.name = made_up_name(path, method);
        }
        operation.method = method;
        std::ranges::transform(operation.method, operation.method.begin(), [](char c) {
            return static_cast<char>(c - 'a' + 'A');
        });
        operation.path = path;
        operation.description = string_member(data, "description", string_member(data, "summary"));
        read_parameters_of(data, operation);
        read_parameters_of(item, operation);
        read_body(data, operation);
        return operation;
    }

    const json::value& document_;
};

}  // namespace

Result<OpenApiDocument> read_openapi(std::string_view text) {
    const auto start = text.find_first_not_of(" \t\r\n");
    const bool is_json = start != std::string_view::npos && text[start] == '{';
    FLOWSPAN_TRY(const auto document, is_json ? parse_json(text) : parse_yaml(text));
    return Reader(document).run();
}

}  // namespace flowspan::tools
