#include "infra/http/request_timer.hpp"

#include "flowspan/trace/names.hpp"

#include <array>

namespace names = flowspan::trace::names;

namespace flowspan::http {

namespace {

// The bounds that the HTTP conventions give.
constexpr std::array kSeconds = {
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0
};

}  // namespace

trace::Instrument& request_durations(trace::MetricRegistry& registry) {
    return registry.instrument(
        {names::kMetricHttpRequestDuration,
         "s",
         "Time of an attempt of a request",
         trace::MetricKind::histogram,
         kSeconds,
         false}
    );
}

RequestTimer::RequestTimer(
    trace::Instrument& durations, std::string_view method, std::string_view url
)
    : origin_(read_origin(url)),
      timer_(
          durations,
          {{names::kHttpRequestMethod, method},
           {names::kServerAddress, std::string_view(origin_.host)},
           {names::kServerPort, std::int64_t{origin_.port}}}
      ) {}

void RequestTimer::set_reply(const Transfer& transfer) {
    if (const auto status = transfer.response.status; status > 0) {
        timer_.add_label({names::kHttpResponseStatusCode, std::int64_t{status}});
    }
    protocol_ = transfer.protocol_version();
    if (!protocol_.empty()) {
        timer_.add_label({names::kNetworkProtocolVersion, std::string_view(protocol_)});
    }
}

}  // namespace flowspan::http
