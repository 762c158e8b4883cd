#pragma once
// The messages that an llm node sends: from its templates, variables, memory and files.

#include "nodes/model_config.hpp"
#include "nodes/prompt_files.hpp"
#include "nodes/prompt_memory.hpp"
#include "nodes/services.hpp"
#include "nodes/variables.hpp"

#include <optional>
#include <string>
#include <vector>

namespace flowspan::nodes::llm {

/// A template in which `{{#context#}}` stands for retrieved text.
class ContextTemplate {
public:
    ContextTemplate() = default;
    explicit ContextTemplate(std::string_view source);

    [[nodiscard]] std::vector<value::Selector> references() const;
    [[nodiscard]] std::string to_text(const value::VariablePool& pool, std::string_view context)
        const;

    /// Files of the four prompt types that the template refers to.
    [[nodiscard]] std::vector<json::value> find_files(const value::VariablePool& pool) const;

private:
    std::vector<value::TextTemplate> pieces_;  // a context stands between each two
};

struct PromptMessage {
    std::string role;
    ContextTemplate text;
    std::optional<std::string> jinja2;  ///< the source, if Jinja2 renders this message
};

struct PromptConfig {
    std::vector<PromptMessage> messages;
    bool is_completion = false;  ///< one text instead of messages
    std::vector<NamedSelector> jinja2_variables;
    std::optional<MemoryConfig> memory;
    VisionConfig vision;
};

[[nodiscard]] PromptConfig read_prompt_config(const dsl::DataReader& reader);

/// What the variables of a prompt gave.
struct PromptMaterial {
    json::object jinja2_values;
    std::string context;
    std::vector<json::value> files;
    std::vector<json::value> context_files;
};

/// Errors as the format words them. `request` tells the model and its parameters.
[[nodiscard]] Task<Result<std::vector<model::ChatMessage>>> build_messages(
    engine::NodeContext& context,
    const Services& services,
    const PromptConfig& config,
    const PromptMaterial& material,
    const model::ChatRequest& request
);

}  // namespace flowspan::nodes::llm
