#pragma once
// What a parameter-extractor asks a model.

#include "model/chat_model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes::parameter_extractor {

inline constexpr std::string_view kToolName = "extract_parameters";

struct ExtractorQuestion {
    std::string text;
    std::string schema;  ///< JSON text
    std::string instruction;
    std::string history;
};

/// For a model that calls tools: the job, two worked examples with calls, the text.
[[nodiscard]] std::vector<model::ChatMessage> tool_prompt(const ExtractorQuestion& question);

/// For a chat model that answers with JSON.
[[nodiscard]] std::vector<model::ChatMessage> chat_prompt(const ExtractorQuestion& question);

/// The same as one text, for a completion model.
[[nodiscard]] std::vector<model::ChatMessage> completion_prompt(const ExtractorQuestion& question);

}  // namespace flowspan::nodes::parameter_extractor
