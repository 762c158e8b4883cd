#include "export/dialect.hpp"
#include "export/dialect_names.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;
namespace oi = dialect_names::openinference;

namespace {

std::string_view kind_of(Step step) noexcept {
    switch (step) {
        case Step::model:
            return "LLM";
        case Step::embedding:
            return "EMBEDDING";
        case Step::retrieval:
            return "RETRIEVER";
        case Step::rerank:
            return "RERANKER";
        case Step::tool:
            return "TOOL";
        case Step::agent:
            return "AGENT";
        case Step::guardrail:
            return "GUARDRAIL";
        case Step::score:
            return "EVALUATOR";
        default:
            // Nodes are steps of a chain, whatever they call: the call has a span of its own.
            return "CHAIN";
    }
}

void write_value(SpanWriter& out, const char* key, const char* mime_key, std::string_view value) {
    if (!value.empty()) {
        out.set(key, value);
        out.set_text(mime_key, is_json_document(value) ? "application/json" : "text/plain");
    }
}

void write_tool_calls(SpanWriter& out, const std::string& prefix, const json::object& message) {
    const auto* parts = message.if_contains("parts");
    if (parts == nullptr || !parts->is_array()) {
        return;
    }
    std::size_t index = 0;
    for (const auto& part : parts->get_array()) {
        if (string_member(part, "type") == "tool_call_response") {
            out.set_text(prefix + oi::kMessageToolCallId, string_member(part, "id"));
        }
        if (string_member(part, "type") != "tool_call") {
            continue;
        }
        const auto call = fmt::format("{}{}.{}.", prefix, oi::kMessageToolCalls, index++);
        out.set_text(call + oi::kToolCallId, string_member(part, "id"));
        out.set_text(call + oi::kToolCallName, string_member(part, "name"));
        if (const auto* arguments = find_member(part, "arguments")) {
            out.set_json(call + oi::kToolCallArguments, *arguments);
        }
    }
}

void write_messages(SpanWriter& out, const char* list, const json::array& messages) {
    std::size_t index = 0;
    for (const auto& item : messages) {
        const auto& message = item.get_object();
        const auto prefix = fmt::format("{}.{}.", list, index++);
        out.set_text(prefix + oi::kMessageRole, string_member(item, "role"));
        out.set_text(prefix + oi::kMessageContent, message_text(message));
        write_tool_calls(out, prefix, message);
    }
}

void write_documents(SpanWriter& out, const json::array& documents) {
    std::size_t index = 0;
    for (const auto& item : documents) {
        const auto prefix = fmt::format("{}.{}.", oi::kRetrievalDocuments, index++);
        json::object metadata;
        for (const auto& member : item.get_object()) {
            if (member.key() == "id") {
                out.set_text(prefix + oi::kDocumentId, string_or_empty(member.value()));
            } else if (member.key() == "content") {
                out.set_text(prefix + oi::kDocumentContent, string_or_empty(member.value()));
            } else if (member.key() == "score" && member.value().is_number()) {
                out.set(prefix + oi::kDocumentScore, member.value().to_number<double>());
            } else {
                metadata[member.key()] = member.value();
            }
        }
        if (!metadata.empty()) {
            out.set_json(prefix + oi::kDocumentMetadata, metadata);
        }
    }
}

// In the form in which they are sent to models.
void write_tools(SpanWriter& out, const json::array& definitions) {
    std::size_t index = 0;
    for (const auto& item : definitions) {
        json::object function;
        for (const auto& member : item.get_object()) {
            if (member.key() != "type") {
                function[member.key()] = member.value();
            }
        }
        out.set_json(
            fmt::format("{}.{}.{}", oi::kTools, index++, oi::kToolSchema),
            json::object{{"type", "function"}, {"function", std::move(function)}}
        );
    }
}

void write_model(const SpanFacts& facts, SpanWriter& out) {
    out.set_text(oi::kModelName, facts.model());
    out.set_text(oi::kRequestModelName, facts.text(names::kGenAiRequestModel));
    out.set_text(oi::kResponseModelName, facts.text(names::kGenAiResponseModel));
    out.set_text(oi::kProvider, facts.text(names::kGenAiProviderName));
    out.set_text(oi::kSystem, facts.text(names::kGenAiProviderName));
    if (const auto parameters = facts.parameters(); !parameters.empty()) {
        out.set_json(oi::kInvocationParameters, parameters);
    }
    out.set_text(oi::kFinishReason, facts.finish_reason());
    const auto prompt = facts.integer(names::kGenAiUsageInputTokens);
    const auto completion = facts.integer(names::kGenAiUsageOutputTokens);
    out.set_integer(oi::kTokensPrompt, prompt);
    out.set_integer(oi::kTokensCompletion, completion);
    if (prompt || completion) {
        out.set(oi::kTokensTotal, prompt.value_or(0) + completion.value_or(0));
    }
    out.set_integer(oi::kTokensCacheRead, facts.integer(names::kGenAiUsageCacheReadInputTokens));
    out.set_integer(oi::kTokensReasoning, facts.integer(names::kGenAiUsageReasoningOutputTokens));
    out.set_number(oi::kCostTotal, facts.number(names::kDifyUsageTotalPrice));
}

void write_kind(const SpanFacts& facts, SpanWriter& out) {
    switch (facts.step()) {
        case Step::model:
            write_model(facts, out);
            break;
        case Step::embedding:
            out.set_text(oi::kEmbeddingModelName, facts.model());
            break;
        case Step::rerank:
            out.set_text(oi::kRerankerModelName, facts.model());
            out.set_integer(oi::kRerankerTopK, facts.integer(names::kGenAiRequestTopK));
            out.set_text(oi::kRerankerQuery, facts.text(names::kGenAiRetrievalQueryText));
            break;
        case Step::tool:
            out.set_text(oi::kToolName, facts.text(names::kGenAiToolName));
            out.set_text(oi::kToolDescription, facts.text(names::kGenAiToolDescription));
            out.set_text(oi::kToolId, facts.text(names::kGenAiToolCallId));
            out.set_text(oi::kToolParameters, facts.text(names::kGenAiToolCallArguments));
            break;
        case Step::agent:
            out.set_text(oi::kAgentName, facts.text(names::kGenAiAgentName));
            break;
        case Step::node:
            out.set_text(oi::kGraphNodeId, facts.text(names::kNodeId));
            out.set_text(oi::kGraphNodeName, facts.text(names::kDifyNodeTitle));
            break;
        default:
            break;
    }
}

// Scores and what is nobody's convention keep their names.
bool is_kept(const SpanFacts& facts, std::string_view key) {
    if (facts.step() == Step::score) {
        return !is_house_name(key) && !is_content_name(key);
    }
    return !is_gen_ai_name(key) && !is_house_name(key) && !is_content_name(key) &&
           key != names::kUserId && key != names::kSessionId;
}

}  // namespace

void write_openinference(const SpanFacts& facts, SpanWriter& out) {
    const auto& span = facts.span();
    span.for_each_attribute([&](const AttributeView& attribute) {
        if (is_kept(facts, attribute.key)) {
            out.copy(attribute);
        }
    });
    out.set_text(oi::kSpanKind, kind_of(facts.step()));
    out.set_text(oi::kSessionId, facts.session());
    out.set_text(oi::kUserId, facts.user());
    out.set_texts(oi::kTags, facts.tags());
    write_kind(facts, out);
    write_value(out, oi::kInputValue, oi::kInputMimeType, facts.input());
    write_value(out, oi::kOutputValue, oi::kOutputMimeType, facts.output());
    if (const auto metadata = house_metadata(facts); !metadata.empty()) {
        out.set_json(oi::kMetadata, metadata);
    }
    // Last, as they are many: what a limit cuts is then the end of a conversation.
    write_messages(out, oi::kInputMessages, facts.input_messages());
    write_messages(out, oi::kOutputMessages, facts.output_messages());
    write_documents(out, facts.documents());
    write_tools(out, facts.tool_definitions());
}

}  // namespace flowspan::exporting
