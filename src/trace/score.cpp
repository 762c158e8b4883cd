#include "flowspan/trace/score.hpp"

#include "flowspan/trace/names.hpp"

#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/default_span.h>
#include <opentelemetry/trace/span_startoptions.h>

#include <utility>
#include <vector>

namespace otel = opentelemetry::trace;
namespace nostd = opentelemetry::nostd;

namespace flowspan::trace {

namespace {

nostd::string_view view(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

// The conventions' event, for readers that know no spans of that kind.
void add_event(Span& span, const Score& score) {
    using Attribute = std::pair<nostd::string_view, opentelemetry::common::AttributeValue>;
    std::vector<Attribute> attributes{{names::kGenAiEvaluationName, view(score.name)}};
    if (score.value) {
        attributes.emplace_back(names::kGenAiEvaluationScoreValue, *score.value);
    }
    if (!score.label.empty()) {
        attributes.emplace_back(names::kGenAiEvaluationScoreLabel, view(score.label));
    }
    if (!score.comment.empty()) {
        attributes.emplace_back(names::kGenAiEvaluationExplanation, view(score.comment));
    }
    span.AddEvent(names::kGenAiEvaluationResultEvent, attributes);
}

}  // namespace

void record_score(const Score& score, const otel::SpanContext& target) {
    otel::StartSpanOptions options;
    options.parent = target;
    // The name is chosen by few; what it says of this one stands in the attributes.
    const auto span = tracer().StartSpan(view("score " + score.name), options);
    set(*span, names::kGenAiEvaluationName, score.name);
    if (score.value) {
        set(*span, names::kGenAiEvaluationScoreValue, *score.value);
    }
    const auto set_unless_empty = [&span](const char* key, const std::string& value) {
        if (!value.empty()) {
            set(*span, key, value);
        }
    };
    set_unless_empty(names::kGenAiEvaluationScoreLabel, score.label);
    set_unless_empty(names::kGenAiEvaluationExplanation, score.comment);
    set_unless_empty(names::kFlowspanScoreSource, score.source);
    set_unless_empty(names::kGenAiConversationId, score.session_id);
    if (score.is_of_step) {
        set(*span, names::kFlowspanScoreOfStep, true);
    }
    add_event(*span, score);
    span->End();
}

}  // namespace flowspan::trace
