#pragma once
// The CLIENT span of one attempt, by the OpenTelemetry API, and its measured time.

#include "flowspan/trace/tracer.hpp"
#include "infra/http/http_client.hpp"
#include "infra/http/request_timer.hpp"
#include "infra/http/transfer.hpp"

#include <optional>
#include <string_view>

namespace flowspan::http {

/// Child of the current context. Never current itself: what a listener does while the reply comes
/// in belongs to whoever asked. Ends when destroyed, as cancelled unless finished before.
class RequestSpan {
public:
    struct Attempt {
        std::string_view method;
        std::string_view url;
        int resend_count = 0;
    };

    /// `durations`: where the attempt's time goes; null: nowhere.
    RequestSpan(const Attempt& attempt, trace::Instrument* durations);
    ~RequestSpan();
    RequestSpan(const RequestSpan&) = delete;
    RequestSpan& operator=(const RequestSpan&) = delete;

    /// The propagation headers for this attempt, without those that `given` has already.
    [[nodiscard]] Headers headers(const Headers& given, bool should_send_baggage) const;

    /// The reply's facts, and a failed status from 400 on.
    void finish(const Transfer& transfer);

    /// The same for an attempt without a usable reply.
    void fail(const Transfer& transfer, Error& error);

    /// The same for an attempt that was broken off by its task; a reply may have begun.
    void cancel(const Transfer& transfer);

private:
    void start(const Attempt& attempt);
    void set_reply(const Transfer& transfer);
    void write_reply(const Transfer& transfer);

    std::optional<RequestTimer> timer_;
    trace::SpanPtr span_;  // null while tracing is off
    bool is_recording_ = false;
    bool is_finished_ = false;
};

}  // namespace flowspan::http
