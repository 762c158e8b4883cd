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

constexpr std::string_view kTracesPath = "/otel/v1/traces";
constexpr std::string_view kApiPath = "/api/v1";

/// Next to the cloud's `.../otel` and to a server of one's own, `.../api/v1/otel`.
std::string find_url(const std::string& endpoint) {
    auto url = replace_suffix(endpoint, kTracesPath, "");
    if (url.empty()) {
        return url;
    }
    url += url.ends_with(kApiPath) ? "" : kApiPath;
    return url + "/feedback";
}

/// 32 hexadecimal digits with hyphens.
std::string to_uuid(std::string_view digits) {
    return fmt::format(
        "{}-{}-{}-{}-{}",
        digits.substr(0, 8),
        digits.substr(8, 4),
        digits.substr(12, 4),
        digits.substr(16, 4),
        digits.substr(20)
    );
}

/// LangSmith makes a run's id of a span's: the span's eight bytes behind eight zero bytes.
std::string run_id(const opentelemetry::trace::SpanId& span_id) {
    return to_uuid(std::string(16, '0') + to_hex(span_id));
}

/// The same for the same score, so that asking again makes no second one: of both ids' bytes, with
/// the marks of a UUID of version 8.
std::string feedback_id(const SpanRecord& span) {
    auto digits = to_hex(span.trace_id).substr(0, 16) + to_hex(span.span_id);
    digits[12] = '8';
    digits[16] = '8';
    return to_uuid(digits);
}

ScoreRequest to_request(const SpanRecord& span) {
    json::object body{
        {"id", feedback_id(span)},
        {"run_id", run_id(span.parent_span_id)},
        {"key", span.text(names::kGenAiEvaluationName)},
        {"created_at", iso_time(span.start_ns)},
    };
    if (span.has(names::kGenAiEvaluationScoreValue)) {
        body["score"] = span.number(names::kGenAiEvaluationScoreValue);
    }
    if (const auto label = span.text(names::kGenAiEvaluationScoreLabel); !label.empty()) {
        body["value"] = label;
    }
    if (const auto comment = span.text(names::kGenAiEvaluationExplanation); !comment.empty()) {
        body["comment"] = comment;
    }
    json::object source{{"type", "api"}};
    if (const auto who = span.text(names::kFlowspanScoreSource); !who.empty()) {
        source["metadata"] = json::object{{"source", who}};
    }
    body["feedback_source"] = std::move(source);
    return {to_json_text(body)};
}

std::vector<ScoreRequest> make_requests(std::span<const SpanRecord* const> scores) {
    std::vector<ScoreRequest> requests;
    requests.reserve(scores.size());
    for (const auto* score : scores) {
        requests.push_back(to_request(*score));
    }
    return requests;
}

Result<ExportReceipt> read_reply(const OtlpReply& reply, std::size_t /*scores*/) {
    constexpr long kNotFound = 404;
    constexpr long kConflict = 409;
    if (reply.status == kConflict) {
        return ExportReceipt{};  // an earlier attempt arrived
    }
    if (reply.status == kNotFound) {
        // Spans become runs some time after they were taken.
        return failure(
            ErrorCode::unavailable, "the receiver of scores does not know the run (HTTP 404)"
        );
    }
    return read_score_reply(reply);
}

}  // namespace

ScoreApi langsmith_scores() noexcept {
    return {&find_url, &make_requests, &read_reply};
}

}  // namespace flowspan::exporting
