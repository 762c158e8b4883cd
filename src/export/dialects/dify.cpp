#include "export/dialect.hpp"
#include "export/dialect_names.hpp"
#include "flowspan/trace/names.hpp"

#include <array>
#include <string>
#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;
namespace dify = dialect_names::dify;

namespace {

// The functions that Dify's spans are named after.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kFunctions = {{
    {"AppGenerateService.generate", "services.app_generate_service.AppGenerateService.generate"},
    {"WorkflowAppRunner.run", "core.app.apps.workflow.app_runner.WorkflowAppRunner.run"},
    {"AdvancedChatAppRunner.run", "core.app.apps.advanced_chat.app_runner.AdvancedChatAppRunner.run"
    },
}};

std::string_view kind_of(const SpanFacts& facts) noexcept {
    switch (facts.step()) {
        case Step::model:
            return "LLM";
        case Step::retrieval:
            return "RETRIEVER";
        case Step::tool:
            return "TOOL";
        case Step::node: {
            // There is no kind for agents.
            const auto kind = facts.text(names::kGenAiSpanKind);
            return kind == "AGENT" ? std::string_view("TASK") : kind;
        }
        default:
            return "TASK";
    }
}

json::array wrap_documents(const json::array& documents) {
    json::array wrapped;
    for (const auto& item : documents) {
        json::object document;
        json::object metadata;
        for (const auto& member : item.get_object()) {
            const bool is_own =
                member.key() == "id" || member.key() == "score" || member.key() == "content";
            (is_own ? document : metadata)[member.key()] = member.value();
        }
        document["metadata"] = std::move(metadata);
        wrapped.push_back(json::object{{"document", std::move(document)}});
    }
    return wrapped;
}

json::array plain_messages(const json::array& messages) {
    json::array plain;
    for (const auto& item : messages) {
        plain.push_back(json::object{
            {"role", string_member(item, "role")},
            {"text", message_text(item.get_object())},
        });
    }
    return plain;
}

void write_model(const SpanFacts& facts, SpanWriter& out) {
    const auto input = facts.integer(names::kGenAiUsageInputTokens);
    const auto output = facts.integer(names::kGenAiUsageOutputTokens);
    if (input || output) {
        out.set(dify::kTotalTokens, input.value_or(0) + output.value_or(0));
    }
    out.set_text(dify::kFinishReason, facts.finish_reason());
    if (const auto messages = facts.input_messages(); !messages.empty()) {
        out.set_json(dify::kPrompt, plain_messages(messages));
    }
    if (const auto messages = facts.output_messages(); !messages.empty()) {
        out.set_text(dify::kCompletion, message_text(messages.front().get_object()));
    }
}

void write_name(const SpanFacts& facts, SpanWriter& out) {
    if (const auto title = facts.text(names::kDifyNodeTitle);
        facts.step() == Step::node && !title.empty()) {
        out.set_name(title);
        return;
    }
    for (const auto& [ours, theirs] : kFunctions) {
        if (facts.span().name() == ours) {
            out.set_name(theirs);
        }
    }
}

}  // namespace

void write_dify(const SpanFacts& facts, SpanWriter& out) {
    facts.span().for_each_attribute([&](const AttributeView& attribute) {
        const auto key = attribute.key;
        if (key == names::kUserId) {
            out.copy(dify::kUserId, attribute);
        } else if (key == names::kGenAiRetrievalQueryText) {
            out.copy(dify::kRetrievalQuery, attribute);
        } else if (key != names::kGenAiRetrievalDocuments &&
                   key != names::kGenAiResponseFinishReasons) {
            out.copy(attribute);
        }
    });
    if (facts.step() == Step::other) {
        return;
    }
    write_name(facts, out);
    out.set_text(names::kGenAiSpanKind, kind_of(facts));
    out.set_text(names::kGenAiFramework, "dify");
    write_model(facts, out);
    if (const auto documents = facts.documents(); !documents.empty()) {
        out.set_json(dify::kRetrievalDocument, wrap_documents(documents));
    }
    if (facts.step() == Step::node && facts.text(names::kNodeType) == "tool") {
        out.set_text(names::kGenAiToolName, facts.text(names::kDifyNodeTitle));
    }
}

}  // namespace flowspan::exporting
