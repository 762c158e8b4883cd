// Gives the text of documents.

#include "flowspan/async/pools.hpp"
#include "flowspan/value/file.hpp"
#include "flowspan/value/mime_types.hpp"
#include "nodes/document_extractor/extract_text.hpp"
#include "nodes/file_store.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace flowspan::nodes::document_extractor {

namespace {

using value::ValueType;

std::string extension_of(const json::value& record) {
    const auto extension = string_member(record, "extension");
    return std::string(
        extension.empty() ? value::extension_of_name(string_member(record, "filename")) : extension
    );
}

class DocumentExtractorNode final : public engine::Node {
public:
    DocumentExtractorNode(value::Selector selector, const Services& services)
        : selector_(std::move(selector)), services_(services) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        const auto variable = context.variables().find(selector_);
        if (!variable) {
            co_return failure(
                ErrorCode::not_found,
                fmt::format("File variable not found for selector: {}", selector_text(selector_))
            );
        }
        const bool is_list = variable->type() == ValueType::array_file;
        if (variable->is_truthy() && !is_list && variable->type() != ValueType::file) {
            co_return failure(
                ErrorCode::type_mismatch,
                fmt::format("Variable {} is not an ArrayFileSegment", selector_text(selector_))
            );
        }
        auto& record = context.record();
        record.inputs["variable_selector"] = json::array(selector_.begin(), selector_.end());
        if (!variable->is_truthy()) {
            record.process_data["documents"] = json::array();
            co_return text_outcome(value::Value::unchecked(json::array(), ValueType::array_string));
        }
        if (!is_list) {
            record.process_data["documents"] = json::array{variable->json()};
            FLOWSPAN_CO_TRY(const auto text, co_await read_file(variable->json()));
            co_return text_outcome(value::Value::string(text));
        }
        record.process_data["documents"] = variable->json();
        json::array texts;
        for (const auto& file : variable->json().as_array()) {
            FLOWSPAN_CO_TRY(const auto text, co_await read_file(file));
            texts.emplace_back(text);
        }
        co_return text_outcome(value::Value::unchecked(std::move(texts), ValueType::array_string));
    }

private:
    static engine::NodeOutcome text_outcome(value::Value text) {
        engine::NodeOutcome outcome;
        outcome.outputs.push_back({"text", std::move(text)});
        return outcome;
    }

    Task<Result<std::string>> read_file(json::value record) const {
        const std::string mime_type(string_member(record, "mime_type"));
        FLOWSPAN_CO_TRY(const auto kind, find_document_kind(extension_of(record), mime_type));
        auto loaded = co_await services_.file_store.load(std::move(record));
        if (!loaded) {
            auto error = std::move(loaded).error();
            error.message = fmt::format("Error downloading file: {}", error.message);
            co_return failure(std::move(error));
        }
        co_return co_await async::on_cpu(
            [kind, bytes = *std::move(loaded), limits = services_.limits] {
                return extract_text(kind, bytes, limits);
            }
        );
    }

    value::Selector selector_;
    Services services_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    auto selector = reader.required_selector("variable_selector");
    return reader.is_valid()
               ? std::make_unique<DocumentExtractorNode>(std::move(selector), services)
               : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "document-extractor",
        .description = "Gives the text of a file, or of each file of a list.",
        .config =
            {{"variable_selector", "selector", "The file, or the list of files.", true},
             {"is_array_file", "bool", "Says what the variable is; the variable itself decides."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::document_extractor
