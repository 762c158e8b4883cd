#pragma once
// The measured time of one attempt, by the OpenTelemetry HTTP conventions.

#include "flowspan/base/error.hpp"
#include "flowspan/trace/metrics.hpp"
#include "infra/http/transfer.hpp"
#include "infra/http/url_text.hpp"
#include "trace/call_timer.hpp"

#include <string>
#include <string_view>

namespace flowspan::http {

/// `http.client.request.duration`: made once, shared by all attempts.
[[nodiscard]] trace::Instrument& request_durations(trace::MetricRegistry& registry);

/// Records once, when it goes: as cancelled unless told otherwise.
class RequestTimer {
public:
    /// `method` is one of the conventions' names and static.
    RequestTimer(trace::Instrument& durations, std::string_view method, std::string_view url);

    void set_reply(const Transfer& transfer);

    /// Empty: the attempt did not fail.
    void finish(std::string_view error_type) { timer_.finish(error_type); }

    void fail(const Error& error) { timer_.fail(error); }

private:
    Origin origin_;
    std::string protocol_;
    trace::CallTimer timer_;  // refers to the texts above
};

}  // namespace flowspan::http
