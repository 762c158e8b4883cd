#include "observe/node_attributes.hpp"

#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <string>
#include <variant>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

class FactsWriter {
public:
    explicit FactsWriter(trace::Span& span) : span_(span) {}

    void operator()(const std::monostate&) const {}

    void operator()(const engine::ModelFacts& facts) const {
        set(span_, names::kGenAiRequestModel, facts.model);
        set(span_, names::kGenAiProviderName, facts.provider);
        set(span_, names::kGenAiUsageInputTokens, facts.prompt_tokens);
        set(span_, names::kGenAiUsageOutputTokens, facts.completion_tokens);
        if (!facts.finish_reason.empty()) {
            const std::string reasons[] = {facts.finish_reason};
            set(span_, names::kGenAiResponseFinishReasons, std::span<const std::string>(reasons));
        }
    }

    void operator()(const engine::HttpFacts& facts) const {
        set(span_, names::kHttpRequestMethod, facts.method);
        set(span_, names::kHttpResponseStatusCode, facts.status_code);
    }

    void operator()(const engine::RetrievalFacts& facts) const {
        set(span_, names::kFlowspanDocumentCount, facts.document_count);
        if (facts.top_k) {
            set(span_, names::kGenAiRequestTopK, *facts.top_k);
        }
    }

    void operator()(const engine::ToolFacts& facts) const {
        set(span_, names::kGenAiToolName, facts.tool);
        set(span_, names::kGenAiToolType, facts.type);
    }

private:
    trace::Span& span_;
};

std::size_t size_of(const std::vector<engine::NodeOutput>& outputs) {
    std::size_t bytes = 0;
    for (const auto& output : outputs) {
        bytes += output.name.size() + trace::content_size(output.value.json());
    }
    return bytes;
}

json::object to_object(const std::vector<engine::NodeOutput>& outputs) {
    json::object object;
    for (const auto& output : outputs) {
        object[output.name] = output.value.json();
    }
    return object;
}

void write_content(
    trace::Span& span,
    const engine::NodeRun& node,
    const engine::NodeResult& result,
    const trace::CapturePolicy& policy
) {
    using trace::ContentKind;
    // What a model node gives is an answer, what it takes a prompt, and so on: shown only where
    // both kinds are.
    const auto kinds = trace::content_kinds_of(node.node_type);
    const auto& inputs = result.record.inputs;
    policy.write(
        span,
        trace::content::kInput,
        std::min(policy.mode(ContentKind::inputs), policy.mode(kinds.input)),
        [&] { return trace::content_size(inputs); },
        [&] { return json::value(inputs); }
    );
    policy.write(
        span,
        trace::content::kOutput,
        std::min(policy.mode(ContentKind::outputs), policy.mode(kinds.output)),
        [&] { return size_of(result.outputs); },
        [&] { return json::value(to_object(result.outputs)); }
    );
}

}  // namespace

void write_node_result(
    trace::Span& span,
    const engine::NodeRun& node,
    const engine::NodeResult& result,
    const trace::CapturePolicy& policy,
    bool is_error_recorded
) {
    set(span, names::kDifyNodeStatus, engine::to_string(result.status));
    std::visit(FactsWriter(span), result.record.facts);
    if (result.edge_handle != "source") {
        set(span, names::kDifyNodeBranch, result.edge_handle);
    }
    if (node.attempt > 0) {
        set(span, names::kFlowspanAttemptCount, static_cast<std::int64_t>(node.attempt) + 1);
    }
    if (result.error) {
        Error error = *result.error;
        error.is_recorded = error.is_recorded || is_error_recorded;
        if (result.error_strategy.empty()) {
            trace::record_error(span, error);
        } else {
            // A handled failure is no error of the run: what went wrong and who handled it.
            set(span, names::kDifyNodeErrorStrategy, result.error_strategy);
            trace::record_handled_error(span, error);
        }
    }
    write_content(span, node, result, policy);
}

std::string_view span_kind_of(std::string_view node_type) noexcept {
    if (node_type == "llm" || node_type == "question-classifier" ||
        node_type == "parameter-extractor") {
        return "LLM";
    }
    if (node_type == "knowledge-retrieval") {
        return "RETRIEVER";
    }
    if (node_type == "tool") {
        return "TOOL";
    }
    return node_type == "agent" ? "AGENT" : "TASK";
}

}  // namespace flowspan::observe
