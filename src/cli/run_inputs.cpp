#include "cli/run_inputs.hpp"

#include "cli/terminal.hpp"
#include "flowspan/async/pools.hpp"
#include "flowspan/base/text.hpp"
#include "service/file_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace flowspan::cli {

namespace {

std::unexpected<Error> invalid(std::string message) {
    return failure(ErrorCode::invalid_input, std::move(message));
}

Result<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return invalid(fmt::format("cannot read `{}`: is the path right?", path));
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

bool is_file_field(const service::InputField& field) {
    return field.type == "file" || field.type == "file-list";
}

bool is_address(const std::string& text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

Task<Result<json::value>> read_file_value(const std::string& text, nodes::FileStore& files);

// Texts in it are what a single file could be.
Task<Result<json::value>> read_file_list(json::array items, nodes::FileStore& files) {
    for (auto& item : items) {
        if (item.is_string()) {
            FLOWSPAN_CO_TRY(item, co_await read_file_value(std::string(item.get_string()), files));
        }
    }
    co_return std::move(items);
}

Task<Result<json::value>> read_file_value(const std::string& text, nodes::FileStore& files) {
    if (is_address(text)) {
        co_return json::object{{"transfer_method", "remote_url"}, {"url", text}};
    }
    if (!text.starts_with('@')) {
        auto parsed = parse_json(text);
        if (parsed && parsed->is_object()) {
            co_return *std::move(parsed);
        }
        if (parsed && parsed->is_array()) {
            co_return co_await read_file_list(std::move(parsed->get_array()), files);
        }
        co_return invalid(
            fmt::format("`{}` is no file: write @path, an http(s) URL, or a JSON mapping", text)
        );
    }
    const auto path = text.substr(1);
    nodes::FileContent content;
    FLOWSPAN_CO_TRY(content.bytes, co_await async::on_blocking([&path] {
                        return read_file(path);
                    }));
    content.filename = std::filesystem::path(path).filename().string();
    content.transfer_method = "local_file";
    FLOWSPAN_CO_TRY(auto record, co_await files.save(std::move(content)));
    // Nodes may hand the address on, so it has to lead to the file.
    std::error_code ec;
    record["url"] = "file://" + std::filesystem::absolute(path, ec).string();
    co_return std::move(record);
}

// Without a declared type, JSON is what it looks like.
json::value read_open_value(const std::string& text) {
    auto parsed = parse_json(text);
    return parsed && parsed->is_structured() ? *std::move(parsed) : json::value(text);
}

Task<Result<json::value>> read_value(
    const service::InputField& field, const std::string& text, nodes::FileStore& files
) {
    if (is_file_field(field)) {
        co_return co_await read_file_value(text, files);
    }
    if (text.starts_with('@')) {
        const auto path = text.substr(1);
        FLOWSPAN_CO_TRY(auto content, co_await async::on_blocking([&path] {
                            return read_file(path);
                        }));
        co_return json::value(clean_text(std::move(content), field.variable));
    }
    co_return json::value(clean_text(text, field.variable));
}

Result<json::object> read_all(const std::string& text) {
    if (text.empty()) {
        return json::object();
    }
    std::string source = text;
    if (text.starts_with('@')) {
        FLOWSPAN_TRY(source, read_file(text.substr(1)));
    }
    auto parsed = parse_json(source);
    if (!parsed) {
        return invalid("--inputs: " + parsed.error().message);
    }
    if (!parsed->is_object()) {
        return invalid("--inputs must be a JSON object such as {\"name\": \"Ada\"}");
    }
    return parsed->get_object();
}

void merge(json::object& inputs, const service::InputField& field, json::value value) {
    if (field.type != "file-list") {
        inputs[field.variable] = std::move(value);
        return;
    }
    auto& list = inputs[field.variable];
    if (!list.is_array()) {
        list = json::array();
    }
    if (value.is_array()) {
        for (auto& item : value.get_array()) {
            list.get_array().push_back(std::move(item));
        }
    } else {
        list.get_array().push_back(std::move(value));
    }
}

std::string known_names(const service::InputForm& form) {
    std::vector<std::string_view> names;
    names.reserve(form.fields.size());
    for (const auto& field : form.fields) {
        names.push_back(field.variable);
    }
    return names.empty() ? "there are none" : fmt::format("known: {}", fmt::join(names, ", "));
}

}  // namespace

std::string clean_text(std::string text, std::string_view what) {
    if (is_valid_utf8(text)) {
        return text;
    }
    write_error(fmt::format(
        "flowspan: {} is not valid UTF-8; what is wrong in it was replaced by U+FFFD\n", what
    ));
    return to_valid_utf8(text);
}

Task<Result<json::object>> read_inputs(
    const service::InputForm& form,
    const std::vector<std::string>& pairs,
    const std::string& all_as_json,
    nodes::FileStore& files
) {
    FLOWSPAN_CO_TRY(auto inputs, read_all(all_as_json));
    for (const auto& pair : pairs) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0) {
            co_return invalid(fmt::format("`-i {}`: write key=value", pair));
        }
        const auto key = pair.substr(0, equals);
        const auto field = std::ranges::find(form.fields, key, &service::InputField::variable);
        if (field == form.fields.end()) {
            if (!form.is_open) {
                co_return invalid(fmt::format("unknown input `{}`; {}", key, known_names(form)));
            }
            inputs[key] = read_open_value(clean_text(pair.substr(equals + 1), key));
            continue;
        }
        auto value = co_await read_value(*field, pair.substr(equals + 1), files);
        if (!value) {
            value.error().message = fmt::format("input `{}`: {}", key, value.error().message);
            co_return failure(std::move(value).error());
        }
        merge(inputs, *field, *std::move(value));
    }
    co_return inputs;
}

Task<Result<json::array>> read_uploads(
    const dsl::App& app, const std::vector<std::string>& uploads, nodes::FileStore& files
) {
    if (!uploads.empty() && !service::takes_uploads(app.features)) {
        co_return invalid("--file: this app takes no files (its feature `file_upload` is off)");
    }
    json::array read;
    for (const auto& upload : uploads) {
        auto file = co_await read_file_value(is_address(upload) ? upload : "@" + upload, files);
        if (!file) {
            file.error().message = "--file: " + file.error().message;
            co_return failure(std::move(file).error());
        }
        read.push_back(*std::move(file));
    }
    co_return read;
}

std::string describe_inputs(const dsl::App& app) {
    std::string text;
    if (app.mode == dsl::AppMode::advanced_chat) {
        text += "  --query TEXT  (required)\n";
    }
    for (const auto& field : service::describe_form(app.graph).fields) {
        text += fmt::format(
            "  -i {}={}  ({}{})\n",
            field.variable,
            is_file_field(field) ? "@PATH" : "VALUE",
            field.is_required ? "required, " : "",
            field.options.empty() ? field.type
                                  : fmt::format("one of: {}", fmt::join(field.options, ", "))
        );
    }
    return text.empty() ? "this app takes no inputs\n" : "this app takes\n" + text;
}

}  // namespace flowspan::cli
