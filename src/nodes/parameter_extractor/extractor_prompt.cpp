#include "nodes/parameter_extractor/extractor_prompt.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::nodes::parameter_extractor {

namespace {

struct Example {
    std::string_view text;
    std::string_view schema;
    std::string_view answer;
};

constexpr Example kExamples[] = {
    {"Please book a table for four at Lucca, on Friday evening.",
     R"({"type": "object", "properties": {"restaurant": {"type": "string", )"
     R"("description": "Name of the restaurant"}, "guests": {"type": "number", )"
     R"("description": "How many people"}}, "required": ["restaurant"]})",
     R"({"restaurant": "Lucca", "guests": 4})"},
    {"I like tea and coffee, but never with sugar.",
     R"({"type": "object", "properties": {"drinks": {"type": "array", "items": {"type": "string"}, )"
     R"("description": "Drinks that the person likes"}, "wants_sugar": {"type": "boolean", )"
     R"("description": "Whether sugar is welcome"}}, "required": ["drinks", "wants_sugar"]})",
     R"({"drinks": ["tea", "coffee"], "wants_sugar": false})"},
};

constexpr std::string_view kRules =
    "Take every value from the text, or from the conversation if the text refers to it; do not "
    "make values up. Keep to the types of the schema: numbers without units, booleans as true or "
    "false, lists as lists. Where a value has options, use one of them exactly.";

// The author's wishes and what was said before, as parts of a system message.
std::string background(const ExtractorQuestion& question) {
    return fmt::format(
        "The wishes of the workflow's author:\n<instruction>\n{}\n</instruction>\n\n"
        "The conversation so far, for context only:\n<histories>\n{}\n</histories>",
        question.instruction,
        question.history
    );
}

std::string tool_request(std::string_view text, std::string_view schema) {
    return fmt::format(
        "Extract the parameters from this text by calling the function.\n"
        "<context>\n{}\n</context>\n\nThey have this structure:\n<structure>\n{}\n</structure>",
        text,
        schema
    );
}

std::string json_request(std::string_view text, std::string_view schema) {
    return fmt::format("<structure>\n{}\n</structure>\n\n<text>\n{}\n</text>", schema, text);
}

model::ChatMessage message(std::string_view role, std::string text) {
    model::ChatMessage message;
    message.role = role;
    message.text = std::move(text);
    return message;
}

}  // namespace

std::vector<model::ChatMessage> tool_prompt(const ExtractorQuestion& question) {
    std::vector<model::ChatMessage> messages;
    messages.push_back(message(
        "system",
        fmt::format(
            "You extract parameters from texts for a workflow. Always answer by calling the "
            "function `{}`, once, and write no text. {}\n\n{}",
            kToolName,
            kRules,
            background(question)
        )
    ));
    int number = 0;
    for (const auto& example : kExamples) {
        messages.push_back(message("user", tool_request(example.text, example.schema)));
        auto call = message("assistant", "");
        const auto id = fmt::format("example_{}", ++number);
        call.tool_calls.push_back({id, std::string(kToolName), std::string(example.answer)});
        messages.push_back(std::move(call));
        auto reply = message("tool", "Well done. The parameters are right.");
        reply.tool_call_id = id;
        messages.push_back(std::move(reply));
        messages.push_back(message("assistant", "I called the function with the parameters."));
    }
    messages.push_back(message("user", tool_request(question.text, question.schema)));
    return messages;
}

std::vector<model::ChatMessage> chat_prompt(const ExtractorQuestion& question) {
    std::vector<model::ChatMessage> messages;
    messages.push_back(message(
        "system",
        fmt::format(
            "You extract parameters from texts for a workflow. Each request has the structure of "
            "the parameters as a JSON schema, and the text. Answer with one JSON object that fits "
            "the schema, and write nothing else. {}\n\n{}",
            kRules,
            background(question)
        )
    ));
    for (const auto& example : kExamples) {
        messages.push_back(message("user", json_request(example.text, example.schema)));
        messages.push_back(message("assistant", std::string(example.answer)));
    }
    messages.push_back(message("user", json_request(question.text, question.schema)));
    return messages;
}

std::vector<model::ChatMessage> completion_prompt(const ExtractorQuestion& question) {
    auto text = fmt::format(
        "Parameters are extracted from texts. Each answer is one JSON object that fits the JSON "
        "schema of its structure. {}\n\n{}\n\n",
        kRules,
        background(question)
    );
    for (const auto& example : kExamples) {
        text += fmt::format(
            "{}\n\n```json\n{}\n```\n\n", json_request(example.text, example.schema), example.answer
        );
    }
    text += json_request(question.text, question.schema) + "\n\n```json\n";
    return {message("user", std::move(text))};
}

}  // namespace flowspan::nodes::parameter_extractor
