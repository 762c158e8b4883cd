#include "export/span_facts.hpp"

#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;

namespace {

Step step_of_operation(std::string_view operation) noexcept {
    static constexpr std::array<std::pair<std::string_view, Step>, 12> kSteps = {{
        {"chat", Step::model},
        {"text_completion", Step::model},
        {"generate_content", Step::model},
        {"embeddings", Step::embedding},
        {"retrieval", Step::retrieval},
        {"rerank", Step::rerank},
        {"execute_tool", Step::tool},
        {"invoke_agent", Step::agent},
        {"invoke_workflow", Step::workflow},
        {"moderation", Step::guardrail},
        {"suggest_questions", Step::chain},
        {"generate_name", Step::chain},
    }};
    for (const auto& [name, step] : kSteps) {
        if (name == operation) {
            return step;
        }
    }
    return Step::other;
}

Step step_of(const SpanRecord& span) noexcept {
    if (span.has(names::kGenAiEvaluationName)) {
        return Step::score;
    }
    if (const auto operation = span.text(names::kGenAiOperationName); !operation.empty()) {
        return step_of_operation(operation);
    }
    if (span.has(names::kNodeType)) {
        return Step::node;
    }
    const auto name = span.name();
    if (name.ends_with("AppRunner.run")) {
        return Step::runner;
    }
    if (name == "AppGenerateService.generate") {
        return Step::app;
    }
    const bool is_part =
        name == "node.attempt" || name.ends_with(".round") || name == "agent round";
    return is_part ? Step::part : Step::other;
}

json::array read_list(std::string_view text) {
    auto parsed = text.starts_with('[') ? parse_json(text) : Result<json::value>(nullptr);
    if (!parsed || !parsed->is_array()) {
        return {};
    }
    json::array list;
    for (auto& item : parsed->get_array()) {
        // A cut list ends with a mark, which is a text.
        if (item.is_object()) {
            list.push_back(std::move(item));
        }
    }
    return list;
}

}  // namespace

SpanFacts::SpanFacts(const SpanRecord& span) : span_(span), step_(step_of(span)) {}

std::optional<std::int64_t> SpanFacts::integer(std::string_view key) const noexcept {
    return span_.has(key) ? std::optional(span_.integer(key)) : std::nullopt;
}

std::optional<double> SpanFacts::number(std::string_view key) const noexcept {
    return span_.has(key) ? std::optional(span_.number(key)) : std::nullopt;
}

std::string_view SpanFacts::input() const noexcept {
    for (const auto* key :
         {names::kInputValue,
          names::kGenAiInputMessages,
          names::kGenAiToolCallArguments,
          names::kGenAiRetrievalQueryText}) {
        if (const auto found = text(key); !found.empty()) {
            return found;
        }
    }
    return {};
}

std::string_view SpanFacts::output() const noexcept {
    for (const auto* key :
         {names::kOutputValue,
          names::kGenAiOutputMessages,
          names::kGenAiToolCallResult,
          names::kGenAiRetrievalDocuments}) {
        if (const auto found = text(key); !found.empty()) {
            return found;
        }
    }
    return {};
}

std::string_view SpanFacts::model() const noexcept {
    const auto answered = text(names::kGenAiResponseModel);
    return answered.empty() ? text(names::kGenAiRequestModel) : answered;
}

std::string SpanFacts::finish_reason() const {
    std::string first;
    span_.for_each_attribute([&first](const AttributeView& attribute) {
        const auto* list = std::get_if<TextList>(&attribute.value);
        if (attribute.key == names::kGenAiResponseFinishReasons && list != nullptr) {
            list->for_each([&first](std::string_view reason) {
                if (first.empty()) {
                    first = reason;
                }
            });
        }
    });
    return first;
}

json::object SpanFacts::parameters() const {
    static constexpr std::array<std::pair<const char*, std::string_view>, 8> kNumbers = {{
        {names::kGenAiRequestTemperature, "temperature"},
        {names::kGenAiRequestTopP, "top_p"},
        {names::kGenAiRequestTopK, "top_k"},
        {names::kGenAiRequestMaxTokens, "max_tokens"},
        {names::kGenAiRequestSeed, "seed"},
        {names::kGenAiRequestFrequencyPenalty, "frequency_penalty"},
        {names::kGenAiRequestPresencePenalty, "presence_penalty"},
        {names::kGenAiRequestStopSequences, "stop"},
    }};
    json::object found;
    span_.for_each_attribute([&found](const AttributeView& attribute) {
        for (const auto& [key, name] : kNumbers) {
            if (attribute.key != key) {
                continue;
            }
            if (const auto* whole = std::get_if<std::int64_t>(&attribute.value)) {
                found[name] = *whole;
            } else if (const auto* real = std::get_if<double>(&attribute.value)) {
                found[name] = *real;
            } else if (const auto* texts = std::get_if<TextList>(&attribute.value)) {
                json::array list;
                texts->for_each([&list](std::string_view text) { list.emplace_back(text); });
                found[name] = std::move(list);
            }
        }
    });
    return found;
}

json::array SpanFacts::input_messages() const {
    return read_list(text(names::kGenAiInputMessages));
}

json::array SpanFacts::output_messages() const {
    return read_list(text(names::kGenAiOutputMessages));
}

json::array SpanFacts::tool_definitions() const {
    return read_list(text(names::kGenAiToolDefinitions));
}

json::array SpanFacts::documents() const {
    return read_list(text(names::kGenAiRetrievalDocuments));
}

std::string_view SpanFacts::session() const noexcept {
    if (const auto own = text(names::kGenAiConversationId); !own.empty()) {
        return own;
    }
    return span_.run == nullptr ? std::string_view() : std::string_view(span_.run->session_id);
}

std::string_view SpanFacts::user() const noexcept {
    if (const auto own = text(names::kUserId); !own.empty()) {
        return own;
    }
    return span_.run == nullptr ? std::string_view() : std::string_view(span_.run->user_id);
}

std::vector<std::string_view> SpanFacts::tags() const {
    return span_.run == nullptr
               ? std::vector<std::string_view>()
               : std::vector<std::string_view>(span_.run->tags.begin(), span_.run->tags.end());
}

std::vector<std::pair<std::string_view, std::string_view>> SpanFacts::ids() const {
    std::vector<std::pair<std::string_view, std::string_view>> found;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) {
            found.emplace_back(name, value);
        }
    };
    if (const auto* run = span_.run.get()) {
        add("app_id", run->app_id);
        add("app_name", run->app_name);
        add("workflow_run_id", run->run_id);
        add("conversation_id", run->session_id);
        add("invoke_from", run->invoke_from);
    }
    add("node_id", text(names::kNodeId));
    add("node_type", text(names::kNodeType));
    add("node_execution_id", text(names::kNodeExecutionId));
    return found;
}

std::string message_text(const json::object& message) {
    std::string text;
    const auto* parts = message.if_contains("parts");
    if (parts == nullptr || !parts->is_array()) {
        return text;
    }
    for (const auto& part : parts->get_array()) {
        const auto type = string_member(part, "type");
        const auto* response = find_member(part, "response");
        std::string_view piece;
        if (type == "text") {
            piece = string_member(part, "content");
        } else if (type == "tool_call_response" && response != nullptr) {
            piece = string_or_empty(*response);
        }
        if (!piece.empty()) {
            text += text.empty() ? "" : "\n";
            text += piece;
        }
    }
    return text;
}

bool is_json_document(std::string_view text) noexcept {
    return (text.starts_with('{') && text.ends_with('}')) ||
           (text.starts_with('[') && text.ends_with(']'));
}

std::string iso_time(std::int64_t unix_ns) {
    using std::chrono::nanoseconds;
    const std::chrono::sys_time<nanoseconds> time{nanoseconds(unix_ns)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::microseconds>(time - day));
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count(),
        clock.subseconds().count()
    );
}

}  // namespace flowspan::exporting
