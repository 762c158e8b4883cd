#include "agent/react.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::agent {

namespace {

constexpr std::string_view kFinalAnswer = "Final Answer:";
constexpr std::string_view kAction = "Action:";
constexpr std::string_view kActionInput = "Action Input:";

// The end of the balanced `{...}` that begins at `start`, or npos.
std::size_t end_of_object(std::string_view text, std::size_t start) {
    int depth = 0;
    bool is_in_string = false;
    for (std::size_t at = start; at < text.size(); ++at) {
        const char c = text[at];
        if (is_in_string) {
            at += c == '\\' ? 1 : 0;
            is_in_string = c != '"';
        } else if (c == '"') {
            is_in_string = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return std::string_view::npos;
}

struct ActionBlob {
    std::size_t begin = 0;
    json::value content;
};

std::optional<ActionBlob> find_action_blob(std::string_view text) {
    for (auto begin = text.find('{'); begin != std::string_view::npos;
         begin = text.find('{', begin + 1)) {
        const auto end = end_of_object(text, begin);
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        auto content = parse_json(text.substr(begin, end - begin));
        if (content && !string_member(*content, "action").empty()) {
            return ActionBlob{begin, *std::move(content)};
        }
    }
    return std::nullopt;
}

// The thought without the marks that lead over to the action.
std::string clean_thought(std::string_view text) {
    for (bool is_changed = true; is_changed;) {
        text = trim(text);
        is_changed = false;
        for (const std::string_view tail : {"```json", "```", "Action:", "Thought:"}) {
            if (text.ends_with(tail)) {
                text.remove_suffix(tail.size());
                is_changed = true;
            }
        }
    }
    if (text.starts_with("Thought:")) {
        text = trim(text.substr(std::string_view("Thought:").size()));
    }
    return std::string(text);
}

ReactReply conclude(std::string thought, std::string action, json::value input) {
    ReactReply reply;
    reply.thought = std::move(thought);
    if (equals_ignore_case(action, "final answer")) {
        reply.answer = value::python_str(input);
    } else {
        reply.action = std::move(action);
        reply.action_input = std::move(input);
    }
    return reply;
}

std::string_view first_line(std::string_view text) {
    return trim(text.substr(0, text.find('\n')));
}

// `Action: name` and `Action Input: ...` on lines of their own.
std::optional<ReactReply> read_action_lines(std::string_view text) {
    const auto action = text.find(kAction);
    if (action == std::string_view::npos) {
        return std::nullopt;
    }
    const auto name = first_line(text.substr(action + kAction.size()));
    const auto input_at = text.find(kActionInput, action);
    if (name.empty() || input_at == std::string_view::npos) {
        return std::nullopt;
    }
    const auto input = trim(text.substr(input_at + kActionInput.size()));
    auto parsed = parse_json(input);
    return conclude(
        clean_thought(text.substr(0, action)),
        std::string(name),
        parsed ? *std::move(parsed) : json::value(input)
    );
}

}  // namespace

std::string react_system_prompt(std::string_view instruction, const std::vector<AgentTool>& tools) {
    std::string prompt(instruction);
    if (!prompt.empty()) {
        prompt += "\n\n";
    }
    if (tools.empty()) {
        return prompt + "No tool is available. Reply with `Final Answer:` followed by your answer.";
    }
    json::array list;
    std::string names;
    for (const auto& tool : tools) {
        const auto& definition = tool.definition;
        list.push_back(json::object{
            {"name", definition.name},
            {"description", definition.description},
            {"parameters", definition.parameters}
        });
        names += (names.empty() ? "" : ", ") + definition.name;
    }
    return prompt + fmt::format(
                        R"(You can use these tools:
{}

Work step by step. A step is a line that starts with `Thought:`, then `Action:` and a JSON blob in a
code fence with the name of one tool ({}) and its arguments:

Thought: what you consider next
Action:
```
{{"action": "TOOL_NAME", "action_input": {{"ARGUMENT": "VALUE"}}}}
```

Then stop. The result comes as `Observation:`, and you go on with the next step. Once you know
enough, write:

Final Answer: your answer to the user)",
                        value::python_json(list),
                        names
                    );
}

ReactReply read_react_reply(std::string_view text) {
    text = text.substr(0, text.find("\nObservation"));
    if (auto blob = find_action_blob(text)) {
        const auto final_at = text.find(kFinalAnswer);
        // JSON within an answer is the answer's.
        if (final_at > blob->begin) {
            const auto* input = find_member(blob->content, "action_input");
            return conclude(
                clean_thought(text.substr(0, blob->begin)),
                std::string(string_member(blob->content, "action")),
                input == nullptr ? json::value(json::object()) : *input
            );
        }
    }
    ReactReply reply;
    if (const auto at = text.find(kFinalAnswer); at != std::string_view::npos) {
        reply.thought = clean_thought(text.substr(0, at));
        reply.answer = std::string(trim(text.substr(at + kFinalAnswer.size())));
        return reply;
    }
    if (auto lines = read_action_lines(text)) {
        return *std::move(lines);
    }
    reply.answer = clean_thought(text);
    return reply;
}

void ReactAnswerStream::on_text(std::string_view piece) {
    held_ += piece;
    if (!is_in_answer_) {
        const auto at = held_.find(kFinalAnswer);
        // An action that came before it is what counts.
        if (at == std::string::npos || find_action_blob(held_.substr(0, at))) {
            return;
        }
        is_in_answer_ = true;
        held_.erase(0, at + kFinalAnswer.size());
    }
    if (sent_.empty()) {
        held_.erase(0, std::min(held_.find_first_not_of(" \n\t"), held_.size()));
    }
    if (!held_.empty()) {
        listener_.on_text(held_);
        sent_ += held_;
        held_.clear();
    }
}

}  // namespace flowspan::agent
