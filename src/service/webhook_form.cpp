#include "service/webhook_form.hpp"

#include "dsl/data_reader.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace flowspan::service {

namespace {

struct Part {
    std::string_view name;     ///< as the trigger calls it
    std::string_view request;  ///< as the request calls it
    std::string_view word;     ///< for messages
};

constexpr std::array<Part, 3> kParts = {{
    {"headers", "headers", "header"},
    {"params", "query_params", "parameter"},
    {"body", "body", "body parameter"},
}};

// What is sent without a form or JSON around it is one value without a name.
constexpr std::array<std::string_view, 2> kUnnamedBodies = {
    "text/plain", "application/octet-stream"
};

const json::value* find_ignoring_case(const json::value& mapping, std::string_view name) {
    const auto* object = mapping.if_object();
    if (object == nullptr) {
        return nullptr;
    }
    const auto* const found = std::ranges::find_if(*object, [name](const auto& member) {
        return equals_ignore_case(member.key(), name);
    });
    return found == object->end() ? nullptr : &found->value();
}

bool is_number(const json::value& given) {
    if (given.is_number()) {
        return true;
    }
    const auto parsed = given.is_string() ? parse_json(trim(given.get_string()))
                                          : Result<json::value>(json::value());
    return parsed && parsed->is_number();
}

bool is_of_type(const json::value& given, std::string_view type) {
    if (type == "number") {
        return is_number(given);
    }
    if (type == "boolean") {
        return dsl::to_boolean(given).has_value();
    }
    if (type == "object" || type == "file") {
        return given.is_object();
    }
    if (type.starts_with("array")) {
        return given.is_array();
    }
    return !given.is_structured();
}

std::string_view media_type(std::string_view text) {
    return trim(text.substr(0, text.find(';')));
}

void check_envelope(
    const dsl::NodeSpec& trigger, const json::value& request, std::vector<std::string>& problems
) {
    const auto method = string_member(request, "method");
    const auto wanted = string_member(trigger.data, "method");
    if (!method.empty() && !wanted.empty() && !equals_ignore_case(method, wanted)) {
        problems.push_back(fmt::format(
            "HTTP method mismatch: the request is {}, the webhook takes {}", method, wanted
        ));
    }
    const auto* headers = find_member(request, "headers");
    const auto* given = headers == nullptr ? nullptr : find_ignoring_case(*headers, "content-type");
    const auto content_type = string_member(trigger.data, "content_type");
    if (given != nullptr && !content_type.empty() &&
        !equals_ignore_case(media_type(string_or_empty(*given)), media_type(content_type))) {
        problems.push_back(fmt::format(
            "Content-type mismatch: the request has {}, the webhook takes {}",
            string_or_empty(*given),
            content_type
        ));
    }
}

bool has_unnamed_body(const dsl::NodeSpec& trigger) {
    const auto type = media_type(string_member(trigger.data, "content_type"));
    return std::ranges::any_of(kUnnamedBodies, [type](std::string_view unnamed) {
        return equals_ignore_case(type, unnamed);
    });
}

}  // namespace

std::vector<WebhookField> read_webhook_fields(const dsl::NodeSpec& trigger) {
    std::vector<WebhookField> fields;
    for (const auto& part : kParts) {
        const auto* list = find_member(trigger.data, part.name);
        if (list == nullptr || !list->is_array()) {
            continue;
        }
        for (const auto& entry : list->get_array()) {
            WebhookField field;
            field.part = part.name;
            field.name = string_member(entry, "name");
            field.variable = field.name;
            std::ranges::replace(field.variable, '-', '_');
            field.type = string_member(entry, "type", "string");
            const auto* required = find_member(entry, "required");
            field.is_required = required != nullptr && dsl::to_boolean(*required) == true;
            fields.push_back(std::move(field));
        }
    }
    return fields;
}

std::vector<std::string> check_webhook_request(
    const dsl::NodeSpec& trigger, const json::value& request
) {
    std::vector<std::string> problems;
    check_envelope(trigger, request, problems);
    const bool is_body_unnamed = has_unnamed_body(trigger);
    for (const auto& field : read_webhook_fields(trigger)) {
        const auto& part = *std::ranges::find(kParts, field.part, &Part::name);
        if (part.name == "body" && is_body_unnamed) {
            continue;
        }
        const auto* values = find_member(request, part.request);
        const auto* given = values == nullptr ? nullptr : find_ignoring_case(*values, field.name);
        if (given == nullptr && field.type == "file" && find_member(request, "files") != nullptr) {
            given = find_ignoring_case(*find_member(request, "files"), field.name);
        }
        if (given == nullptr || given->is_null()) {
            if (field.is_required) {
                problems.push_back(fmt::format("Required {} missing: {}", part.word, field.name));
            }
        } else if (!is_of_type(*given, field.type)) {
            problems.push_back(
                fmt::format("{} '{}' of the request must be: {}", part.word, field.name, field.type)
            );
        }
    }
    return problems;
}

}  // namespace flowspan::service
