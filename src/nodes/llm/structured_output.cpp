#include "nodes/llm/structured_output.hpp"

#include "nodes/json_repair.hpp"
#include "nodes/think_filter.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace flowspan::nodes::llm {

namespace {

constexpr std::string_view kErrorType = "StructuredOutputError";

std::unexpected<Error> stage_failure(
    std::string_view what, std::string_view stage, const SchemaMismatch& mismatch
) {
    return failure(
        Error(
            ErrorCode::invalid_input,
            fmt::format("{} (stage={}, path={}): {}", what, stage, mismatch.path, mismatch.reason)
        )
            .with_type(std::string(kErrorType))
    );
}

std::string instruction(const json::value& schema) {
    return fmt::format(
        "Answer with exactly one JSON object that is valid against the JSON schema below. "
        "Write nothing before or after it: no explanation and no code fence.\n\n"
        "<json_schema>\n{}\n</json_schema>",
        value::python_json(schema)
    );
}

}  // namespace

StructuredOutput::StructuredOutput(const json::value& schema)
    : source_(schema), schema_(JsonSchema::compile(schema)) {}

std::optional<StructuredOutput> StructuredOutput::read(const dsl::DataReader& reader) {
    const bool is_on = reader.boolean(
        reader.has("structured_output_switch_on") ? "structured_output_switch_on"
                                                  : "structured_output_enabled",
        false
    );
    const auto* output = reader.find("structured_output");
    if (!is_on || output == nullptr || !value::python_truth(*output)) {
        return std::nullopt;
    }
    const auto* schema = find_member(*output, "schema");
    return StructuredOutput(schema == nullptr ? json::value() : *schema);
}

Result<void> StructuredOutput::apply(
    model::ChatRequest& request, const model::ModelFeatures& features
) const {
    if (!schema_) {
        return stage_failure("Invalid structured output schema", "schema", schema_.error());
    }
    if (features.structured_output) {
        request.response_schema = source_;
        return {};
    }
    auto& messages = request.messages;
    const bool has_system =
        !messages.empty() && messages.front().role == "system" && messages.front().parts.empty();
    if (has_system) {
        messages.front().text = instruction(source_) + "\n\n" + messages.front().text;
    } else if (request.is_completion && !messages.empty() && messages.front().parts.empty()) {
        messages.front().text = instruction(source_) + "\n\n" + messages.front().text;
    } else {
        model::ChatMessage system;
        system.role = "system";
        system.text = instruction(source_);
        messages.insert(messages.begin(), std::move(system));
    }
    return {};
}

Result<json::value> StructuredOutput::parse(std::string_view reply) const {
    auto value = repair_json(split_answer(reply).text);
    if (const auto* list = value.if_array()) {
        for (const auto& item : *list) {
            if (item.is_object()) {
                value = json::value(item);
                break;
            }
        }
    }
    if (!value.is_object()) {
        return stage_failure(
            "Failed to parse structured output", "result", {"$", "the reply holds no JSON object"}
        );
    }
    if (auto mismatch = schema_->find_mismatch(value)) {
        return stage_failure("Structured output validation failed", "result", *mismatch);
    }
    return value;
}

}  // namespace flowspan::nodes::llm
