#include "nodes/llm/context.hpp"

#include "flowspan/base/text.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace flowspan::nodes::llm {

namespace {

// A citation's keys and what they are called in a document's metadata.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kCitationKeys = {{
    {"position", "position"},
    {"dataset_id", "dataset_id"},
    {"dataset_name", "dataset_name"},
    {"document_id", "document_id"},
    {"document_name", "document_name"},
    {"data_source_type", "data_source_type"},
    {"segment_id", "segment_id"},
    {"retriever_from", "retriever_from"},
    {"score", "score"},
    {"hit_count", "segment_hit_count"},
    {"word_count", "segment_word_count"},
    {"segment_position", "segment_position"},
    {"index_node_hash", "segment_index_node_hash"},
    {"page", "page"},
    {"doc_metadata", "doc_metadata"},
}};

json::value member_or_null(const json::value& data, std::string_view key) {
    const auto* member = find_member(data, key);
    return member == nullptr ? json::value() : *member;
}

json::object to_citation(const json::value& item, const json::value& metadata) {
    json::object citation;
    for (const auto& [key, source] : kCitationKeys) {
        citation[key] = member_or_null(metadata, source);
    }
    for (const auto* key : {"title", "content", "files", "summary"}) {
        citation[key] = member_or_null(item, key);
    }
    return citation;
}

Result<void> append_item(const json::value& item, std::string& out) {
    if (item.is_string()) {
        out += std::string_view(item.get_string());
        out += '\n';
        return {};
    }
    const auto* content = find_member(item, "content");
    if (content == nullptr) {
        return failure(Error(ErrorCode::invalid_input, "Invalid context structure")
                           .with_type("InvalidContextStructureError")
                           .with_detail(value::python_str(item)));
    }
    if (const auto summary = string_member(item, "summary"); !summary.empty()) {
        out += summary;
        out += '\n';
    }
    out += value::python_str(*content);
    out += '\n';
    return {};
}

}  // namespace

Result<std::string> join_context_items(const json::array& items) {
    std::string out;
    for (const auto& item : items) {
        if (auto appended = append_item(item, out); !appended) {
            return failure(std::move(appended).error());
        }
    }
    return std::string(trim(out));
}

Result<RetrievedContext> read_context(const value::Value& value) {
    RetrievedContext context;
    if (value.type() == value::ValueType::string || value.type() == value::ValueType::secret) {
        context.text = value.text();
        context.should_report = true;
        return context;
    }
    const auto* items = value.json().if_array();
    if (items == nullptr) {
        return context;
    }
    FLOWSPAN_TRY(context.text, join_context_items(*items));
    context.should_report = true;
    for (const auto& item : *items) {
        const auto* metadata = find_member(item, "metadata");
        if (metadata == nullptr || string_member(*metadata, "_source") != "knowledge") {
            continue;
        }
        context.citations.push_back(to_citation(item, *metadata));
        if (const auto* files = find_member(item, "files"); files != nullptr && files->is_array()) {
            for (const auto& file : files->get_array()) {
                if (value::is_file_record(file)) {
                    context.files.push_back(file);
                }
            }
        }
    }
    return context;
}

}  // namespace flowspan::nodes::llm
