#pragma once
// Spans for the steps around a message, on the trace of its run.

#include "flowspan/trace/capture_policy.hpp"
#include "service/message_services.hpp"

#include <memory>

namespace flowspan::observe {

/// Each wraps a service so that its call is a span: `moderation`, `suggest_questions`,
/// `generate_name`. `inner` and `policy` must outlive the result.
[[nodiscard]] std::unique_ptr<service::Moderation> trace_moderation(
    service::Moderation& inner, const trace::CapturePolicy& policy
);
[[nodiscard]] std::unique_ptr<service::QuestionSuggester> trace_question_suggester(
    service::QuestionSuggester& inner, const trace::CapturePolicy& policy
);
[[nodiscard]] std::unique_ptr<service::ConversationNamer> trace_conversation_namer(
    service::ConversationNamer& inner, const trace::CapturePolicy& policy
);

}  // namespace flowspan::observe
