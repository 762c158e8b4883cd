#include "infra/http/request_timer.hpp"

#include "flowspan/trace/names.hpp"
#include "infra/http/url_text.hpp"

#include <array>
#include <chrono>
#include <vector>

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
    : durations_(durations), method_(method) {
    auto origin = read_origin(url);
    server_ = std::move(origin.host);
    port_ = origin.port;
}

RequestTimer::~RequestTimer() {
    std::vector<trace::Label> labels = {
        {names::kHttpRequestMethod, method_},
        {names::kServerAddress, server_},
        {names::kServerPort, port_},
    };
    if (status_ > 0) {
        labels.push_back({names::kHttpResponseStatusCode, std::int64_t{status_}});
    }
    if (!protocol_.empty()) {
        labels.push_back({names::kNetworkProtocolVersion, protocol_});
    }
    if (!error_type_.empty()) {
        labels.push_back({names::kErrorType, error_type_});
    }
    const auto took = real_clock().steady_now() - started_at_;
    durations_.record(std::chrono::duration<double>(took).count(), labels);
}

void RequestTimer::set_reply(const Transfer& transfer) {
    status_ = transfer.response.status;
    protocol_ = transfer.protocol_version();
}

}  // namespace flowspan::http
