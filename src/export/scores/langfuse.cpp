#include "export/scores.hpp"
#include "export/span_facts.hpp"
#include "export/stored_span.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;

namespace {

constexpr std::string_view kOtelPath = "/api/public/otel";
constexpr std::string_view kIngestionPath = "/api/public/ingestion";

std::string find_url(const std::string& endpoint) {
    const auto at = endpoint.find(kOtelPath);
    return at == std::string::npos ? std::string()
                                   : endpoint.substr(0, at) + std::string(kIngestionPath);
}

json::object to_event(const SpanRecord& span) {
    const auto id = to_hex(span.span_id);
    json::object body{
        {"id", id},
        {"traceId", to_hex(span.trace_id)},
        {"name", span.text(names::kGenAiEvaluationName)},
    };
    if (span.has(names::kFlowspanScoreOfStep)) {
        body["observationId"] = to_hex(span.parent_span_id);
    }
    // One value each; the number says more.
    if (span.has(names::kGenAiEvaluationScoreValue)) {
        body["value"] = span.number(names::kGenAiEvaluationScoreValue);
        body["dataType"] = "NUMERIC";
    } else {
        body["value"] = span.text(names::kGenAiEvaluationScoreLabel);
        body["dataType"] = "CATEGORICAL";
    }
    if (const auto comment = span.text(names::kGenAiEvaluationExplanation); !comment.empty()) {
        body["comment"] = comment;
    }
    if (const auto source = span.text(names::kFlowspanScoreSource); !source.empty()) {
        body["metadata"] = json::object{{"source", source}};
    }
    // The event's id is the span's, so that trying again makes no second score.
    return {
        {"id", id},
        {"type", "score-create"},
        {"timestamp", iso_time(span.start_ns)},
        {"body", std::move(body)},
    };
}

std::vector<ScoreRequest> make_requests(std::span<const SpanRecord* const> scores) {
    json::array events;
    for (const auto* score : scores) {
        events.push_back(to_event(*score));
    }
    return {{to_json_text(json::object{{"batch", std::move(events)}}), scores.size()}};
}

/// 207 and a list of those that it did not take.
Result<ExportReceipt> read_reply(const OtlpReply& reply, std::size_t scores) {
    FLOWSPAN_TRY(auto receipt, read_score_reply(reply));
    const auto parsed = parse_json(reply.body);
    const auto* errors = parsed ? find_member(*parsed, "errors") : nullptr;
    if (errors == nullptr || !errors->is_array() || errors->get_array().empty()) {
        return receipt;
    }
    const auto& first = errors->get_array().front();
    receipt.rejected = std::min(errors->get_array().size(), scores);
    receipt.reason = fmt::format("a score was refused: {}", string_member(first, "message"));
    return receipt;
}

}  // namespace

ScoreApi langfuse_scores() noexcept {
    return {&find_url, &make_requests, &read_reply};
}

}  // namespace flowspan::exporting
