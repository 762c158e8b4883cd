#include "nodes/question_classifier/classifier_prompt.hpp"

#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <string_view>

namespace flowspan::nodes::question_classifier {

namespace {

constexpr std::string_view kJob =
    "You sort texts into categories for a workflow.\n"
    "Each request is a JSON object: `input_text` is the text, `categories` are the categories to "
    "choose from, `classification_instructions` are the wishes of the workflow's author.\n"
    "Choose exactly one category, the one that fits the text best. Copy its `category_id` and "
    "`category_name` as they are given; never invent a category. `keywords` are the few words of "
    "the text that decided.\n"
    "Answer with one JSON object in a code fence, with the keys `keywords`, `category_id` and "
    "`category_name`, and write nothing else.";

struct Example {
    std::string_view request;
    std::string_view answer;
};

constexpr Example kExamples[] = {
    {R"({"input_text": ["The parcel arrived with a broken lid, who pays for a new one?"], )"
     R"("categories": [{"category_id": "a1", "category_name": "Damaged goods"}, )"
     R"({"category_id": "a2", "category_name": "Opening hours"}], )"
     R"("classification_instructions": ["Prefer the topic over the tone."]})",
     "```json\n"
     R"({"keywords": ["parcel", "broken lid"], "category_id": "a1", )"
     R"("category_name": "Damaged goods"})"
     "\n```"},
    {R"({"input_text": ["tomorrow, same time?"], )"
     R"("categories": [{"category_id": "x", "category_name": "Appointments"}, )"
     R"({"category_id": "y", "category_name": "Everything else"}], )"
     R"("classification_instructions": [""]})",
     "```json\n"
     R"({"keywords": ["tomorrow", "time"], "category_id": "x", "category_name": "Appointments"})"
     "\n```"},
};

std::string request_text(const ClassifierQuestion& question) {
    json::array categories;
    for (const auto& [id, name] : question.classes) {
        categories.push_back({{"category_id", id}, {"category_name", name}});
    }
    return value::python_json(json::object{
        {"input_text", json::array{question.text}},
        {"categories", std::move(categories)},
        {"classification_instructions", json::array{question.instruction}},
    });
}

std::string history_text(const ClassifierQuestion& question) {
    return fmt::format(
        "The conversation so far, for context only:\n<histories>\n{}\n</histories>",
        question.history
    );
}

model::ChatMessage message(std::string_view role, std::string text) {
    model::ChatMessage message;
    message.role = role;
    message.text = std::move(text);
    return message;
}

}  // namespace

std::vector<model::ChatMessage> chat_prompt(const ClassifierQuestion& question) {
    std::vector<model::ChatMessage> messages;
    messages.push_back(message("system", fmt::format("{}\n\n{}", kJob, history_text(question))));
    for (const auto& example : kExamples) {
        messages.push_back(message("user", std::string(example.request)));
        messages.push_back(message("assistant", std::string(example.answer)));
    }
    messages.push_back(message("user", request_text(question)));
    return messages;
}

std::vector<model::ChatMessage> completion_prompt(const ClassifierQuestion& question) {
    auto text = fmt::format("{}\n\n", kJob);
    for (const auto& example : kExamples) {
        text += fmt::format("Request:\n{}\nAnswer:\n{}\n\n", example.request, example.answer);
    }
    text += fmt::format(
        "{}\n\nRequest:\n{}\nAnswer:\n", history_text(question), request_text(question)
    );
    return {message("user", std::move(text))};
}

}  // namespace flowspan::nodes::question_classifier
