#pragma once
// Facts of a run that travel to the services it calls, by allow-list.

#include "flowspan/base/result.hpp"
#include "flowspan/trace/run_scope.hpp"

#include <opentelemetry/context/context.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::trace {

/// What of a run becomes baggage. Nothing unless asked for: whoever gets baggage passes it on.
struct BaggageRules {
    bool has_user = false;     ///< `user.id`
    bool has_session = false;  ///< `session.id`
    bool has_app = false;      ///< `dify.app_id`
    bool has_run = false;      ///< `dify.workflow.run_id`

    [[nodiscard]] bool is_empty() const noexcept {
        return !has_user && !has_session && !has_app && !has_run;
    }

    bool operator==(const BaggageRules&) const = default;
};

/// Words: `user`, `session`, `app`, `run`.
[[nodiscard]] Result<BaggageRules> parse_baggage_rules(const std::vector<std::string>& words);

/// `base` with the allowed facts of the run added to its baggage. What a caller sent stays.
[[nodiscard]] opentelemetry::context::Context with_baggage(
    const opentelemetry::context::Context& base, const RunScope& run, const BaggageRules& rules
);

}  // namespace flowspan::trace
