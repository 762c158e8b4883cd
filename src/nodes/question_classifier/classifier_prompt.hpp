#pragma once
// What a question-classifier asks a model.

#include "model/chat_model.hpp"

#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::question_classifier {

struct ClassifierQuestion {
    std::string text;
    std::vector<std::pair<std::string, std::string>> classes;  ///< id and name
    std::string instruction;
    std::string history;
};

/// Six messages for a chat model: the job, two worked examples, the question.
[[nodiscard]] std::vector<model::ChatMessage> chat_prompt(const ClassifierQuestion& question);

/// The same as one text.
[[nodiscard]] std::vector<model::ChatMessage> completion_prompt(const ClassifierQuestion& question);

}  // namespace flowspan::nodes::question_classifier
