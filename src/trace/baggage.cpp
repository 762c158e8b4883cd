#include "flowspan/trace/baggage.hpp"

#include "flowspan/trace/names.hpp"

#include <opentelemetry/baggage/baggage.h>
#include <opentelemetry/baggage/baggage_context.h>

namespace baggage = opentelemetry::baggage;
namespace context = opentelemetry::context;

namespace flowspan::trace {

Result<BaggageRules> parse_baggage_rules(const std::vector<std::string>& words) {
    BaggageRules rules;
    for (const auto& word : words) {
        if (word == "user") {
            rules.has_user = true;
        } else if (word == "session") {
            rules.has_session = true;
        } else if (word == "app") {
            rules.has_app = true;
        } else if (word == "run") {
            rules.has_run = true;
        } else {
            return failure(
                ErrorCode::invalid_input,
                "`" + word + "` cannot be baggage; use user, session, app or run"
            );
        }
    }
    return rules;
}

context::Context with_baggage(
    const context::Context& base, const RunScope& run, const BaggageRules& rules
) {
    context::Context result = base;
    const auto add = [&result](bool is_allowed, const char* key, const std::string& value) {
        if (!is_allowed || value.empty()) {
            return;
        }
        const auto current = baggage::GetBaggage(result);
        result = baggage::SetBaggage(result, current->Set(key, value));
    };
    add(rules.has_user, names::kUserId, run.user_id);
    add(rules.has_session, names::kSessionId, run.session_id);
    add(rules.has_app, names::kDifyAppId, run.app_id);
    add(rules.has_run, names::kDifyWorkflowRunId, run.run_id);
    return result;
}

}  // namespace flowspan::trace
