#pragma once
// What libcurl reports, as an Error in our words: what happened, where, and what to do.

#include "flowspan/base/error.hpp"
#include "infra/http/transfer.hpp"
#include "infra/http/url_text.hpp"

#include <chrono>

namespace flowspan::http {

struct TimeLimits {
    std::chrono::milliseconds connect{0};
    std::chrono::milliseconds read{0};
    std::chrono::milliseconds total{0};
    bool is_total_the_deadline = false;  ///< the task's, not the request's own
};

/// For a transfer that has ended with a failure; `origin` is whom it called.
[[nodiscard]] Error transport_error(
    const Transfer& transfer, const Origin& origin, const TimeLimits& limits
);

}  // namespace flowspan::http
