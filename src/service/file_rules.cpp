#include "service/file_rules.hpp"

#include "dsl/data_reader.hpp"
#include "flowspan/base/text.hpp"
#include "service/input_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace flowspan::service {

namespace {

constexpr std::string_view kCustom = "custom";

// Of an app that lets its users add files, but does not say how many.
constexpr std::int64_t kUploadsMax = 3;

std::unexpected<Error> invalid(std::string message) {
    return failure(Error(ErrorCode::invalid_input, std::move(message)).with_type("ValueError"));
}

std::vector<std::string> words(const json::value& mapping, std::string_view key) {
    std::vector<std::string> read;
    const auto* list = find_member(mapping, key);
    if (list != nullptr && list->is_array()) {
        for (const auto& item : list->get_array()) {
            auto word = to_lower_ascii(trim(string_or_empty(item)));
            if (!word.empty()) {
                read.push_back(std::move(word));
            }
        }
    }
    return read;
}

std::string without_dot(std::string_view extension) {
    return to_lower_ascii(extension.starts_with('.') ? extension.substr(1) : extension);
}

bool has(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

std::string_view name_of(const json::value& record) {
    const auto name = string_member(record, "filename");
    return name.empty() ? string_member(record, "remote_url") : name;
}

std::unexpected<Error> refuse(const json::value& record, std::string_view reason) {
    return invalid(fmt::format("File validation failed for file: {} ({})", name_of(record), reason)
    );
}

std::string describe_types(const FileRules& rules) {
    auto types = fmt::format("{}", fmt::join(rules.types, ", "));
    if (has(rules.types, kCustom)) {
        types += rules.extensions.empty()
                     ? " without any extension"
                     : fmt::format(" with extension {}", fmt::join(rules.extensions, ", "));
    }
    return types;
}

// Nothing tells the type: no extension, no MIME type, no word of the caller.
bool is_unknown(const json::value& record) {
    return string_member(record, "type") == kCustom && string_member(record, "extension").empty() &&
           string_member(record, "mime_type").empty();
}

bool is_type_allowed(const json::value& record, const FileRules& rules) {
    const auto type = string_member(record, "type");
    if (rules.types.empty() || (type != kCustom && has(rules.types, type))) {
        return true;
    }
    // Where custom files are taken, the extension counts and not the type that it stands for.
    return has(rules.types, kCustom) &&
           has(rules.extensions, without_dot(string_member(record, "extension")));
}

}  // namespace

FileRules read_file_rules(const json::value& mapping, std::string owner) {
    FileRules rules;
    rules.owner = std::move(owner);
    rules.types = words(mapping, "allowed_file_types");
    for (const auto& extension : words(mapping, "allowed_file_extensions")) {
        rules.extensions.push_back(without_dot(extension));
    }
    rules.methods = words(mapping, "allowed_file_upload_methods");
    if (const auto* limit = find_member(mapping, "number_limits")) {
        rules.files_max = dsl::to_integer(*limit).value_or(0);
    }
    return rules;
}

Result<json::value> take_file(const json::object& given, const FileRules& rules) {
    FLOWSPAN_TRY(auto record, make_file_record(given));
    const auto method = string_member(record, "transfer_method");
    if (method == "tool_file") {
        return record;
    }
    if (is_unknown(record)) {
        const auto type = std::ranges::find_if(rules.types, [](const std::string& name) {
            return name != kCustom;
        });
        if (type != rules.types.end()) {
            record.as_object()["type"] = *type;
        }
    }
    if (!is_type_allowed(record, rules)) {
        return refuse(
            record,
            fmt::format(
                "it is of type {} with extension `{}`; {} takes: {}",
                string_member(record, "type"),
                string_member(record, "extension"),
                rules.owner,
                describe_types(rules)
            )
        );
    }
    if (!rules.methods.empty() && !has(rules.methods, method)) {
        return refuse(
            record,
            fmt::format(
                "it comes as {}; {} takes: {}", method, rules.owner, fmt::join(rules.methods, ", ")
            )
        );
    }
    return record;
}

Result<void> check_file_count(std::size_t count, const FileRules& rules) {
    if (rules.files_max > 0 && count > static_cast<std::size_t>(rules.files_max)) {
        return invalid(fmt::format("Number of files exceeds the maximum limit {}", rules.files_max)
        );
    }
    return {};
}

bool takes_uploads(const json::value& features) {
    const auto* setting = find_member(features, "file_upload");
    const auto* enabled = setting == nullptr ? nullptr : find_member(*setting, "enabled");
    return enabled != nullptr && dsl::to_boolean(*enabled) == true;
}

Result<json::array> take_uploads(const json::value& features, const json::array& given) {
    json::array files;
    if (!takes_uploads(features)) {
        return files;
    }
    auto rules = read_file_rules(*find_member(features, "file_upload"), "the app");
    if (rules.files_max <= 0) {
        rules.files_max = kUploadsMax;
    }
    for (const auto& file : given) {
        if (file.is_object()) {
            FLOWSPAN_TRY(auto record, take_file(file.get_object(), rules));
            files.push_back(std::move(record));
        }
    }
    if (auto counted = check_file_count(files.size(), rules); !counted) {
        return failure(std::move(counted).error());
    }
    return files;
}

}  // namespace flowspan::service
