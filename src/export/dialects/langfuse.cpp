#include "export/dialect.hpp"
#include "export/dialect_names.hpp"
#include "flowspan/trace/names.hpp"

#include <cmath>
#include <string>

namespace flowspan::exporting {

namespace names = trace::names;
namespace langfuse = dialect_names::langfuse;

namespace {

std::string_view type_of(Step step) noexcept {
    switch (step) {
        case Step::model:
            return "generation";
        case Step::embedding:
            return "embedding";
        case Step::retrieval:
        case Step::rerank:
            return "retriever";
        case Step::tool:
            return "tool";
        case Step::agent:
            return "agent";
        case Step::guardrail:
            return "guardrail";
        case Step::score:
            return "evaluator";
        case Step::app:
        case Step::runner:
        case Step::workflow:
        case Step::chain:
            return "chain";
        default:
            return "span";
    }
}

void write_usage(const SpanFacts& facts, SpanWriter& out) {
    const auto input = facts.integer(names::kGenAiUsageInputTokens);
    const auto output = facts.integer(names::kGenAiUsageOutputTokens);
    if (!input && !output) {
        return;
    }
    json::object usage{
        {"input", input.value_or(0)},
        {"output", output.value_or(0)},
        {"total", input.value_or(0) + output.value_or(0)},
    };
    if (const auto cached = facts.integer(names::kGenAiUsageCacheReadInputTokens)) {
        usage["cache_read_input_tokens"] = *cached;
    }
    if (const auto reasoning = facts.integer(names::kGenAiUsageReasoningOutputTokens)) {
        usage["reasoning_output_tokens"] = *reasoning;
    }
    out.set_json(langfuse::kUsageDetails, usage);
    if (const auto price = facts.number(names::kDifyUsageTotalPrice)) {
        out.set_json(langfuse::kCostDetails, json::object{{"total", *price}});
    }
}

void write_generation(const SpanFacts& facts, SpanWriter& out) {
    out.set_text(langfuse::kModelName, facts.model());
    if (const auto parameters = facts.parameters(); !parameters.empty()) {
        out.set_json(langfuse::kModelParameters, parameters);
    }
    write_usage(facts, out);
    const auto first = facts.number(names::kGenAiResponseTimeToFirstChunk);
    if (first && *first > 0) {
        constexpr double kNanoseconds = 1e9;
        out.set_text(
            langfuse::kCompletionStartTime,
            iso_time(facts.span().start_ns + std::llround(*first * kNanoseconds))
        );
    }
}

// A handled failure is no error of the span, but worth a look.
void write_level(const SpanFacts& facts, SpanWriter& out) {
    if (facts.span().status() == opentelemetry::trace::StatusCode::kError) {
        out.set_text(langfuse::kLevel, "ERROR");
        out.set_text(langfuse::kStatusMessage, facts.span().status_description());
    } else if (facts.span().has(names::kDifyNodeErrorStrategy)) {
        out.set_text(langfuse::kLevel, "WARNING");
        out.set_text(langfuse::kStatusMessage, facts.text(names::kErrorType));
    }
}

void write_trace(const SpanFacts& facts, SpanWriter& out) {
    // On every span, as the back end asks for: also those that come first.
    out.set_text(langfuse::kSessionId, facts.session());
    out.set_text(langfuse::kUserId, facts.user());
    out.set_texts(langfuse::kTraceTags, facts.tags());
    const auto* run = facts.span().run.get();
    if (run != nullptr && facts.step() == Step::app && facts.is_root()) {
        out.set_text(langfuse::kTraceName, run->app_name);
        out.set_text(langfuse::kTraceInput, facts.input());
        out.set_text(langfuse::kTraceOutput, facts.output());
        out.set_text(std::string(langfuse::kTraceMetadata) + "app_id", run->app_id);
        out.set_text(
            std::string(langfuse::kTraceMetadata) + "workflow_run_id",
            facts.text(names::kDifyWorkflowRunId)
        );
    }
}

}  // namespace

void write_langfuse(const SpanFacts& facts, SpanWriter& out) {
    facts.span().for_each_attribute([&](const AttributeView& attribute) {
        // Usage would be counted twice, and any model makes a generation of a span.
        const bool is_told = is_gen_ai_name(attribute.key) && facts.step() != Step::score;
        if (!is_told && !is_house_name(attribute.key) && !is_content_name(attribute.key) &&
            attribute.key != names::kUserId && attribute.key != names::kSessionId) {
            out.copy(attribute);
        }
    });
    out.set_text(langfuse::kType, type_of(facts.step()));
    out.set_text(langfuse::kInput, facts.input());
    out.set_text(langfuse::kOutput, facts.output());
    if (facts.step() == Step::model || facts.step() == Step::embedding) {
        write_generation(facts, out);
    }
    out.set_text(names::kGenAiToolDefinitions, facts.text(names::kGenAiToolDefinitions));
    write_level(facts, out);
    write_trace(facts, out);
    for (const auto& member : house_metadata(facts)) {
        const auto key = std::string(langfuse::kMetadata) + std::string(member.key());
        if (member.value().is_string()) {
            out.set_text(key, string_or_empty(member.value()));
        } else {
            out.set_json(key, member.value());
        }
    }
}

}  // namespace flowspan::exporting
