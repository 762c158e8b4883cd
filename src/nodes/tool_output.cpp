#include "nodes/tool_output.hpp"

#include "nodes/file_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace flowspan::nodes {

namespace {

std::string_view name_in_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    return url.substr(url.rfind('/') + 1);
}

std::unexpected<Error> file_error(std::string message) {
    return failure(Error(ErrorCode::remote_failure, std::move(message)).with_type("ToolFileError"));
}

}  // namespace

void ToolOutput::add_text(std::string_view piece) {
    text_ += piece;
    context_.stream_text("text", piece, false);
}

Task<Result<void>> ToolOutput::add(tools::ToolMessage message) {
    if (auto* file = std::get_if<tools::FileMessage>(&message)) {
        FLOWSPAN_CO_TRY(auto record, co_await keep(std::move(*file)));
        files_.emplace_back(std::move(record));
    } else if (const auto* text = std::get_if<tools::TextMessage>(&message)) {
        add_text(text->text);
    } else if (const auto* link = std::get_if<tools::LinkMessage>(&message)) {
        add_text(fmt::format("Link: {}\n", link->url));
    } else if (auto* data = std::get_if<tools::JsonMessage>(&message)) {
        const auto* object = data->data.if_object();
        if (object != nullptr && !object->empty()) {
            json_.push_back(std::move(data->data));
        }
    } else if (auto* variable = std::get_if<tools::VariableMessage>(&message)) {
        add_variable(std::move(*variable));
    }
    co_return Result<void>();
}

void ToolOutput::add_variable(tools::VariableMessage message) {
    auto found = std::ranges::find(variables_, message.name, &Variable::name);
    if (found == variables_.end()) {
        variables_.push_back({message.name, nullptr});
        found = std::prev(variables_.end());
    }
    const auto* piece = message.value.if_string();
    if (!message.is_streamed || piece == nullptr) {
        found->value = std::move(message.value);
        return;
    }
    context_.stream_text(message.name, *piece, false);
    if (auto* whole = found->value.if_string()) {
        whole->append(*piece);
    } else {
        found->value = std::move(message.value);
    }
}

Task<Result<json::object>> ToolOutput::keep(tools::FileMessage file) {
    if (!file.record.empty()) {
        co_return std::move(file.record);
    }
    if (!file.url.empty()) {
        if (file.filename.empty()) {
            file.filename = name_in_url(file.url);
        }
        const FileContent content{"", file.filename, file.mime_type, "remote_url"};
        auto record = make_file_record(content, "", file.url);
        record["remote_url"] = file.url;
        co_return record;
    }
    if (file.bytes.empty()) {
        co_return file_error("the tool gave a file without content");
    }
    if (file.filename.empty()) {
        file.filename = "file";
    }
    auto record = co_await services_.file_store.save(
        {std::move(file.bytes), std::move(file.filename), std::move(file.mime_type)}
    );
    if (!record) {
        co_return failure(std::move(record).error().with_type("ToolFileError"));
    }
    co_return record;
}

void ToolOutput::finish() {
    context_.stream_text("text", "", true);
    for (const auto& variable : variables_) {
        context_.stream_text(variable.name, "", true);
    }
}

std::vector<engine::NodeOutput> ToolOutput::outputs(json::array before) const {
    std::vector<engine::NodeOutput> outputs;
    outputs.push_back({"text", value::Value::string(text_)});
    outputs.push_back({"files", value::Value::unchecked(files_, value::ValueType::array_file)});
    if (json_.empty()) {
        before.push_back(json::object{{"data", json::array()}});
    }
    before.insert(before.end(), json_.begin(), json_.end());
    outputs.push_back(
        {"json", value::Value::unchecked(std::move(before), value::ValueType::array_object)}
    );
    for (const auto& variable : variables_) {
        outputs.push_back({variable.name, value::Value(variable.value)});
    }
    return outputs;
}

tools::ToolContext make_tool_context(const engine::RunInfo& run) {
    return {run.app_id, run.user_id, run.conversation_id, run.call_depth};
}

}  // namespace flowspan::nodes
