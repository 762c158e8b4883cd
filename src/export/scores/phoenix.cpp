#include "export/scores.hpp"
#include "export/stored_span.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;

namespace {

std::string find_url(const std::string& endpoint) {
    // Not at once: Phoenix then waits for spans that it has taken but not yet stored.
    return replace_suffix(endpoint, "/v1/traces", "/v1/span_annotations?sync=false");
}

std::string_view annotator_kind(std::string_view source) noexcept {
    if (source == "llm" || source == "model") {
        return "LLM";
    }
    return source.empty() || source == "user" || source == "annotator" ? "HUMAN" : "CODE";
}

json::object to_annotation(const SpanRecord& span) {
    json::object result;
    if (span.has(names::kGenAiEvaluationScoreValue)) {
        result["score"] = span.number(names::kGenAiEvaluationScoreValue);
    }
    if (const auto label = span.text(names::kGenAiEvaluationScoreLabel); !label.empty()) {
        result["label"] = label;
    }
    if (const auto comment = span.text(names::kGenAiEvaluationExplanation); !comment.empty()) {
        result["explanation"] = comment;
    }
    const auto source = span.text(names::kFlowspanScoreSource);
    json::object annotation{
        {"span_id", to_hex(span.parent_span_id)},
        {"name", span.text(names::kGenAiEvaluationName)},
        {"annotator_kind", annotator_kind(source)},
        {"result", std::move(result)},
        // Told again, it is the same annotation; another score of that name is another one.
        {"identifier", to_hex(span.span_id)},
    };
    if (!source.empty()) {
        annotation["metadata"] = json::object{{"source", source}};
    }
    return annotation;
}

std::vector<ScoreRequest> make_requests(std::span<const SpanRecord* const> scores) {
    json::array annotations;
    for (const auto* score : scores) {
        annotations.push_back(to_annotation(*score));
    }
    return {{to_json_text(json::object{{"data", std::move(annotations)}}), scores.size()}};
}

Result<ExportReceipt> read_reply(const OtlpReply& reply, std::size_t /*scores*/) {
    if (reply.status == 404 || reply.status == 405) {
        return ExportReceipt{0, "the receiver has no annotations; scores go as spans alone"};
    }
    return read_score_reply(reply);
}

}  // namespace

ScoreApi phoenix_scores() noexcept {
    return {&find_url, &make_requests, &read_reply};
}

}  // namespace flowspan::exporting
