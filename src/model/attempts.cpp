#include "model/attempts.hpp"

#include "flowspan/async/task_context.hpp"
#include "model/openai_reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::model {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds kRetryDelay = 500ms;
constexpr std::chrono::milliseconds kRetryDelayMax = 30s;

bool is_retryable_status(int status) {
    return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

Error status_error(int status, const CallTarget& target) {
    const auto make = [&](ErrorCode code, std::string_view type, std::string_view advice) {
        return Error(
                   code,
                   fmt::format("the model endpoint {} answered {}{}", target.peer, status, advice)
        )
            .with_type(std::string(type));
    };
    switch (status) {
        case 401:
        case 403:
            return make(ErrorCode::unauthorized, "InvokeAuthorizationError", ": check its API key");
        case 404:
            return make(
                ErrorCode::not_found,
                "InvokeBadRequestError",
                fmt::format(": is its base URL right, and does it have the model {}?", target.model)
            );
        case 429:
            return make(ErrorCode::rate_limited, "InvokeRateLimitError", " (too many requests)");
        default:
            break;
    }
    return status >= 500 ? make(ErrorCode::remote_failure, "InvokeServerUnavailableError", "")
                         : make(ErrorCode::remote_failure, "InvokeBadRequestError", "");
}

}  // namespace

Failure refused(
    const http::HttpResponse& response,
    std::string_view body,
    const CallTarget& target,
    const Clock& clock
) {
    auto said = read_provider_error(body);
    // A used-up account does not fill itself while we wait.
    const bool is_hopeless = said.code == "insufficient_quota";
    return {
        status_error(response.status, target).with_detail(std::move(said.words)),
        is_retryable_status(response.status) && !is_hopeless,
        http::retry_after(response, clock.system_now())
    };
}

std::optional<std::chrono::milliseconds> retry_delay(
    const Failure& failed, int attempt, int retries_max, Random& random
) {
    if (!failed.is_retryable || attempt >= retries_max) {
        return std::nullopt;
    }
    if (failed.asked_delay) {
        // Asking again before the time that the server named would only prolong it.
        return *failed.asked_delay > kRetryDelayMax ? std::nullopt : failed.asked_delay;
    }
    const auto full = std::min(kRetryDelay * (1 << std::min(attempt, 6)), kRetryDelayMax);
    // Half of it at random, so that runs that failed together do not come back together.
    const auto half = full.count() / 2;
    const auto drawn = random.next() % static_cast<std::uint64_t>(half + 1);
    return std::chrono::milliseconds(half + static_cast<std::int64_t>(drawn));
}

bool is_past_deadline(std::chrono::milliseconds delay, const Clock& clock) {
    const auto deadline = async::current_task()->deadline();
    return deadline && clock.steady_now() + delay >= *deadline;
}

}  // namespace flowspan::model
