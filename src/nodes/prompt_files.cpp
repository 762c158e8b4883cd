#include "nodes/prompt_files.hpp"

#include "flowspan/value/file.hpp"
#include "nodes/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace flowspan::nodes {

namespace {

using model::ContentPart;
using Kind = ContentPart::Kind;

// Kind::text stands for types that no prompt can hold.
Kind kind_of(const json::value& file) noexcept {
    const auto type = string_member(file, "type");
    if (type == "image") {
        return Kind::image;
    }
    if (type == "audio") {
        return Kind::audio;
    }
    if (type == "video") {
        return Kind::video;
    }
    return type == "document" ? Kind::document : Kind::text;
}

bool is_supported(const ContentPart& part, const model::ModelFeatures& features) noexcept {
    switch (part.kind) {
        case Kind::text:
            return !part.text.empty();
        case Kind::image:
            return features.vision;
        case Kind::audio:
            return features.audio;
        case Kind::video:
            return features.video;
        case Kind::document:
            return features.document;
    }
    return false;
}

}  // namespace

VisionConfig read_vision_config(const dsl::DataReader& reader, std::string_view key) {
    const auto vision = reader.object(key);
    VisionConfig config;
    config.is_enabled = vision.boolean("enabled", false);
    const auto configs = vision.object("configs");
    if (auto selector = configs.selector("variable_selector"); !selector.empty()) {
        config.selector = std::move(selector);
    }
    config.detail = configs.text("detail", config.detail);
    return config;
}

Result<std::vector<json::value>> find_files(
    const value::VariablePool& pool, const value::Selector& selector
) {
    const auto value = pool.find(selector);
    if (!value || value->is_none()) {
        return std::vector<json::value>();
    }
    switch (value->type()) {
        case value::ValueType::file:
            return std::vector<json::value>{value->json()};
        case value::ValueType::array_file: {
            const auto& list = value->json().get_array();
            return std::vector<json::value>(list.begin(), list.end());
        }
        case value::ValueType::array_any:
            return std::vector<json::value>();
        default:
            return failure(
                Error(
                    ErrorCode::type_mismatch,
                    fmt::format("Invalid variable type: {}", value::to_string(value->type()))
                )
                    .with_type("InvalidVariableTypeError")
            );
    }
}

bool fits_prompt(const json::value& file) noexcept {
    return kind_of(file) != Kind::text;
}

Task<Result<model::ContentPart>> load_content_part(
    FileStore& file_store, json::value file, std::string detail
) {
    ContentPart part;
    part.kind = kind_of(file);
    if (part.kind == Kind::text) {
        part.text = fmt::format(
            "[Unsupported file type: {} ({})]",
            string_member(file, "filename"),
            string_member(file, "type")
        );
        co_return part;
    }
    std::string_view extension = string_member(file, "extension");
    if (extension.empty()) {
        co_return failure(
            Error(ErrorCode::invalid_input, "Missing file extension").with_type("ValueError")
        );
    }
    part.mime_type = string_member(file, "mime_type");
    if (part.mime_type.empty()) {
        co_return failure(
            Error(ErrorCode::invalid_input, "Missing file mime_type").with_type("ValueError")
        );
    }
    extension.remove_prefix(extension.starts_with('.') ? 1 : 0);
    part.format = extension;
    part.filename = string_member(file, "filename");
    if (part.kind == Kind::image) {
        part.detail = std::move(detail);
    }
    if (string_member(file, "transfer_method") == "remote_url") {
        part.url = value::file_url(file);
        co_return part;
    }
    FLOWSPAN_CO_TRY(const auto bytes, co_await file_store.load(std::move(file)));
    part.url = fmt::format("data:{};base64,{}", part.mime_type, to_base64(bytes));
    co_return part;
}

void keep_supported_content(
    std::vector<model::ChatMessage>& messages, const model::ModelFeatures& features
) {
    for (auto& message : messages) {
        std::erase_if(message.parts, [&](const ContentPart& part) {
            return !is_supported(part, features);
        });
        if (message.parts.size() == 1 && message.parts[0].kind == Kind::text) {
            message.text = std::move(message.parts[0].text);
            message.parts.clear();
        }
    }
    std::erase_if(messages, [](const model::ChatMessage& message) {
        return message.parts.empty() && message.text.empty() && message.tool_calls.empty();
    });
}

void attach_files(
    std::vector<model::ChatMessage>& messages, std::vector<model::ContentPart> files
) {
    if (files.empty()) {
        return;
    }
    const bool can_join =
        !messages.empty() && messages.back().role == "user" && !messages.back().parts.empty();
    if (!can_join) {
        messages.emplace_back().role = "user";
    }
    auto& parts = messages.back().parts;
    parts.insert(
        parts.begin(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end())
    );
}

Task<Result<void>> attach_vision(
    FileStore& file_store,
    const value::VariablePool& pool,
    const VisionConfig& vision,
    std::vector<model::ChatMessage>& messages
) {
    if (!vision.is_enabled) {
        co_return Result<void>();
    }
    FLOWSPAN_CO_TRY(auto files, find_files(pool, vision.selector));
    std::vector<ContentPart> parts;
    for (auto& file : files) {
        FLOWSPAN_CO_TRY(
            auto part, co_await load_content_part(file_store, std::move(file), vision.detail)
        );
        parts.push_back(std::move(part));
    }
    if (!parts.empty() && !messages.empty() && messages.back().parts.empty()) {
        auto& last = messages.back();
        last.parts.emplace_back().text = std::move(last.text);
        last.text.clear();
    }
    attach_files(messages, std::move(parts));
    co_return Result<void>();
}

}  // namespace flowspan::nodes
