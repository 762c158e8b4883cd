#include "dsl/detail/common_fields.hpp"

#include "dsl/data_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace flowspan::dsl::detail {

namespace {

constexpr std::array<std::string_view, 7> kDefaultTypes = {
    "string",
    "number",
    "object",
    "array[number]",
    "array[string]",
    "array[object]",
    "array[file]",
};

bool is_number(const json::value& data) noexcept {
    return data.is_number() || data.is_bool();
}

bool fits(const json::value& data, std::string_view type) {
    if (type == "string") {
        return data.is_string();
    }
    if (type == "number") {
        return is_number(data);
    }
    if (type == "object") {
        return data.is_object();
    }
    if (type == "array[file]") {
        return true;
    }
    const auto* items = data.if_array();
    return items != nullptr && std::ranges::all_of(*items, [type](const json::value& item) {
               if (type == "array[number]") {
                   return is_number(item);
               }
               return type == "array[string]" ? item.is_string() : item.is_object();
           });
}

// What the value stands for; empty if it is text that cannot be read as `type`.
std::optional<json::value> parse_default(const json::value& data, std::string_view type) {
    if (!data.is_string() || type == "string") {
        return data;
    }
    if (type == "number") {
        const auto number = to_number(data);
        return number ? std::optional(json::value(*number)) : std::nullopt;
    }
    auto parsed = parse_json(data.get_string());
    return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
}

void check_default(const DataReader& item, json::value& data) {
    static_cast<void>(item.required_text("key"));
    const auto type = item.required_text("type");
    if (type.empty()) {
        return;
    }
    if (std::ranges::find(kDefaultTypes, type) == kDefaultTypes.end()) {
        item.report_as(
            Problem::Severity::node_error,
            "node.invalid_default_value",
            "type",
            fmt::format("must be one of `{}`, but is `{}`", fmt::join(kDefaultTypes, "`, `"), type)
        );
        return;
    }
    auto* given = data.get_object().if_contains("value");
    auto parsed = given == nullptr ? std::optional<json::value>() : parse_default(*given, type);
    if (!parsed || !fits(*parsed, type)) {
        item.report_as(
            Problem::Severity::node_error,
            "node.invalid_default_value",
            "value",
            fmt::format("does not fit the type `{}`; correct one of the two", type)
        );
    } else if (given != nullptr) {
        *given = *std::move(parsed);
    }
}

void check_default_values(NodeSpec& spec, const DataReader& reader) {
    auto* list = spec.data.get_object().if_contains("default_value");
    if (list == nullptr || !list->is_array()) {
        return;
    }
    auto& items = list->get_array();
    const auto readers = reader.list("default_value");
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (items[i].is_object()) {
            check_default(readers[i], items[i]);
        } else {
            readers[i].report("", "must be a mapping with `key`, `type` and `value`");
        }
    }
}

// Only people read it, so it is no reason for a node to fail.
void check_title(const DataReader& reader) {
    const auto* title = reader.find("title");
    if (title != nullptr && !title->is_string()) {
        reader.warn("title", fmt::format("must be text, but is {}", describe_kind(*title)));
    }
}

void check_error_strategy(const DataReader& reader) {
    const auto* strategy = reader.find("error_strategy");
    if (strategy == nullptr) {
        return;
    }
    const auto word = string_or_empty(*strategy);
    // The editor's word for "neither" is in some files.
    const bool is_neither = word == "none" || (strategy->is_string() && word.empty());
    if (word != "fail-branch" && word != "default-value" && !is_neither) {
        reader.report_as(
            Problem::Severity::node_error,
            "node.invalid_error_strategy",
            "error_strategy",
            "must be `fail-branch` or `default-value`; leave it out for neither"
        );
    }
}

void check_retries(const DataReader& reader) {
    const auto* config = reader.find("retry_config");
    if (config == nullptr) {
        return;
    }
    const auto report = [&reader](std::string_view key, std::string_view message) {
        reader.report_as(Problem::Severity::node_error, "node.invalid_retry_config", key, message);
    };
    if (!config->is_object()) {
        report("retry_config", "must be a mapping such as {retry_enabled: true, max_retries: 3}");
        return;
    }
    for (const std::string_view key :
         {"/retry_config/max_retries", "/retry_config/retry_interval"}) {
        const auto* given = reader.find(key);
        const auto number = given == nullptr ? std::optional<std::int64_t>(0) : to_integer(*given);
        if (!number || *number < 0) {
            report(key, "must be a whole number, 0 or more");
        }
    }
    const auto* flag = reader.find("/retry_config/retry_enabled");
    if (flag != nullptr && !to_boolean(*flag)) {
        report("/retry_config/retry_enabled", "must be true or false");
    }
}

}  // namespace

void check_common_fields(NodeSpec& spec, std::vector<Problem>& problems) {
    const auto before = problems.size();
    const DataReader reader(spec, problems);
    check_title(reader);
    check_error_strategy(reader);
    check_default_values(spec, reader);
    check_retries(reader);
    const auto first = std::find_if(
        problems.begin() + static_cast<std::ptrdiff_t>(before),
        problems.end(),
        [](const Problem& problem) { return problem.severity == Problem::Severity::node_error; }
    );
    if (first != problems.end()) {
        spec.fault = first->message;
    }
}

}  // namespace flowspan::dsl::detail
