#pragma once
// The measured time of one attempt, by the OpenTelemetry HTTP conventions.

#include "flowspan/base/clock.hpp"
#include "flowspan/base/error.hpp"
#include "flowspan/trace/metrics.hpp"
#include "infra/http/transfer.hpp"

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
    ~RequestTimer();
    RequestTimer(const RequestTimer&) = delete;
    RequestTimer& operator=(const RequestTimer&) = delete;

    void set_reply(const Transfer& transfer);

    /// Empty: the attempt did not fail.
    void set_error(std::string_view type) { error_type_ = type; }

private:
    trace::Instrument& durations_;
    std::string_view method_;
    std::string server_;
    std::int64_t port_;
    SteadyTime started_at_ = real_clock().steady_now();
    int status_ = 0;
    std::string protocol_;
    std::string error_type_ = "cancelled";
};

}  // namespace flowspan::http
