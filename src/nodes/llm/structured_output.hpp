#pragma once
// Making a model answer with JSON that fits a schema, whether or not it can be told one.

#include "dsl/data_reader.hpp"
#include "model/chat_model.hpp"
#include "nodes/json_schema.hpp"

#include <expected>
#include <optional>
#include <string_view>

namespace flowspan::nodes::llm {

class StructuredOutput {
public:
    /// Empty unless the node asks for structured output. A broken schema is kept: the node fails
    /// with it when it runs.
    [[nodiscard]] static std::optional<StructuredOutput> read(const dsl::DataReader& reader);

    /// Puts the schema into the request: natively if the model takes one, else into the prompt.
    /// Fails for a broken schema.
    [[nodiscard]] Result<void> apply(
        model::ChatRequest& request, const model::ModelFeatures& features
    ) const;

    /// The object in a reply, repaired if need be and checked against the schema.
    [[nodiscard]] Result<json::value> parse(std::string_view reply) const;

private:
    explicit StructuredOutput(const json::value& schema);

    json::value source_;
    std::expected<JsonSchema, SchemaMismatch> schema_;
};

}  // namespace flowspan::nodes::llm
