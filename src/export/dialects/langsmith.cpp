#include "export/dialect.hpp"
#include "export/dialect_names.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <string>

namespace flowspan::exporting {

namespace names = trace::names;
namespace langsmith = dialect_names::langsmith;
namespace oi = dialect_names::openinference;

namespace {

std::string_view kind_of(Step step) noexcept {
    switch (step) {
        case Step::model:
            return "llm";
        case Step::embedding:
            return "embedding";
        case Step::retrieval:
        case Step::rerank:
            return "retriever";
        case Step::tool:
            return "tool";
        default:
            return "chain";
    }
}

void write_messages(SpanWriter& out, const char* list, const json::array& messages) {
    std::size_t index = 0;
    for (const auto& item : messages) {
        const auto prefix = fmt::format("{}.{}.", list, index++);
        out.set_text(prefix + langsmith::kRole, string_member(item, "role"));
        out.set_text(prefix + langsmith::kContent, message_text(item.get_object()));
    }
}

void write_documents(SpanWriter& out, const json::array& documents) {
    std::size_t index = 0;
    for (const auto& item : documents) {
        const auto prefix = fmt::format("{}.{}.", oi::kRetrievalDocuments, index++);
        auto metadata = item.get_object();
        out.set_text(prefix + oi::kDocumentContent, string_member(item, "content"));
        metadata.erase("content");
        out.set_json(prefix + oi::kDocumentMetadata, metadata);
    }
}

// Run totals belong to the run's model calls, which are summed up there.
bool is_usage(std::string_view key) noexcept {
    return key == names::kGenAiUsageInputTokens || key == names::kGenAiUsageOutputTokens;
}

bool is_kept(const SpanFacts& facts, std::string_view key) noexcept {
    if (is_house_name(key) || is_content_name(key) || key == names::kUserId ||
        key == names::kSessionId || key == names::kGenAiSpanKind || key == names::kGenAiFramework) {
        return false;
    }
    return facts.step() == Step::model || facts.step() == Step::embedding || !is_usage(key);
}

void write_metadata(const SpanFacts& facts, SpanWriter& out) {
    out.set_text(langsmith::kThreadId, facts.session());
    for (const auto& member : house_metadata(facts)) {
        const auto key = std::string(langsmith::kMetadata) + std::string(member.key());
        if (member.value().is_string()) {
            out.set_text(key, string_or_empty(member.value()));
        } else {
            out.set_json(key, member.value());
        }
    }
    out.set_text(std::string(langsmith::kMetadata) + "user_id", facts.user());
}

void write_tags(const SpanFacts& facts, SpanWriter& out) {
    std::string tags;
    for (const auto tag : facts.tags()) {
        tags += tags.empty() ? "" : ",";
        tags += tag;
    }
    out.set_text(langsmith::kTags, tags);
}

}  // namespace

void write_langsmith(const SpanFacts& facts, SpanWriter& out) {
    facts.span().for_each_attribute([&](const AttributeView& attribute) {
        if (is_kept(facts, attribute.key)) {
            out.copy(attribute);
        }
    });
    out.set_text(langsmith::kSpanKind, kind_of(facts.step()));
    if (facts.step() == Step::node) {
        out.set_text(langsmith::kTraceName, facts.text(names::kDifyNodeTitle));
    }
    write_tags(facts, out);
    write_metadata(facts, out);
    if (facts.step() == Step::model) {
        out.set_text(langsmith::kSystem, facts.text(names::kGenAiProviderName));
        const auto input = facts.integer(names::kGenAiUsageInputTokens);
        const auto output = facts.integer(names::kGenAiUsageOutputTokens);
        if (input || output) {
            out.set(langsmith::kTotalTokens, input.value_or(0) + output.value_or(0));
        }
        write_messages(out, langsmith::kPrompt, facts.input_messages());
        write_messages(out, langsmith::kCompletion, facts.output_messages());
    } else {
        out.set_text(oi::kInputValue, facts.input());
        out.set_text(oi::kOutputValue, facts.output());
    }
    write_documents(out, facts.documents());
    out.set_text(names::kGenAiToolDefinitions, facts.text(names::kGenAiToolDefinitions));
}

}  // namespace flowspan::exporting
