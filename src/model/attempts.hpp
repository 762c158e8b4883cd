#pragma once
// What is done about a call that failed: which error it is, and whether and when to try again.

#include "flowspan/base/clock.hpp"
#include "flowspan/base/error.hpp"
#include "infra/http/http_types.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace flowspan::model {

/// How an attempt failed, and whether another one may help.
struct Failure {
    Error error;
    bool is_retryable = false;
    std::optional<std::chrono::milliseconds> asked_delay = {};  ///< by the server
};

/// Who was asked for what, for messages.
struct CallTarget {
    std::string_view peer;
    std::string_view model;
};

/// A status that is no success; `body` is the provider's own words.
[[nodiscard]] Failure refused(
    const http::HttpResponse& response,
    std::string_view body,
    const CallTarget& target,
    const Clock& clock
);

/// The pause before the attempt after number `attempt` (from 0); nothing if there is to be none.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_delay(
    const Failure& failed, int attempt, int retries_max, Random& random
);

/// Whether the calling task's deadline comes before `delay` is over.
[[nodiscard]] bool is_past_deadline(std::chrono::milliseconds delay, const Clock& clock);

}  // namespace flowspan::model
