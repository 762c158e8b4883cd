// The instrumented HTTP client: a CLIENT span for each attempt, and traceparent on the wire.
//
//   OTEL_TRACES_EXPORTER=console http_calls http://127.0.0.1:8000/

#include <flowspan/async/runtime.hpp>
#include <flowspan/export/provider.hpp>
#include <flowspan/infra/http/http_client.hpp>
#include <flowspan/trace/trace_span.hpp>

#include <string>
#include <utility>

using flowspan::Task;

namespace {

struct Fetch {
    std::string span_name(const std::string& /*url*/, auto& /*client*/) const { return "fetch"; }
};

Task<flowspan::Result<flowspan::http::HttpResponse>> fetch(
    const std::string& url, flowspan::http::HttpClient& client
) {
    flowspan::http::HttpRequest request;
    request.url = url;
    return client.send(std::move(request));
}

Task<int> run(std::string url, flowspan::http::HttpClient* client) {
    const auto traced = flowspan::trace::trace_span<Fetch>(fetch);
    const auto response = co_await traced(url, *client);
    co_return response && response->is_success() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        return 2;
    }
    auto telemetry = flowspan::exporting::Telemetry::start(
        flowspan::exporting::TelemetryConfig::from_environment()
    );
    if (!telemetry) {
        return 2;
    }
    const auto client = flowspan::http::make_http_client();
    int code = 0;
    {
        flowspan::async::Runtime runtime;
        code = runtime.block_on(run, std::string(argv[1]), client.get());
    }
    static_cast<void>((*telemetry)->shutdown());
    return code;
}
