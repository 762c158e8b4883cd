// A worker in small: reads one job from standard input, runs its app in the job's trace, and writes
// the spans to a file.
//
//     carrier_worker APP SPANS < '{"traceparent": "...", ...}'

#include "cli/program.hpp"
#include "export/otlp_file_sink.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/propagation.hpp"
#include "service/loaded_app.hpp"

#include <opentelemetry/baggage/baggage_context.h>
#include <opentelemetry/context/runtime_context.h>

#include <iostream>
#include <iterator>
#include <string>

namespace {

using namespace flowspan;

class NoConsumer final : public engine::EventSink {
public:
    void on_event(const engine::Event& /*event*/) override {}
};

struct Job {
    cli::Program& program;
    std::shared_ptr<const service::LoadedApp> app;
    trace::Carrier headers;
    std::string tenant;  ///< from the job's baggage
};

Task<Result<service::GenerateResult>> work(Job* job) {
    const auto token = opentelemetry::context::RuntimeContext::Attach(trace::extract(job->headers));
    opentelemetry::baggage::GetBaggage(opentelemetry::context::RuntimeContext::GetCurrent())
        ->GetValue("tenant", job->tenant);
    service::GenerateRequest request;
    request.app = job->app;
    NoConsumer consumer;
    co_return co_await job->program.generate_service().generate(request, consumer);
}

trace::Carrier read_headers() {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    trace::Carrier headers;
    if (const auto document = parse_json(text); document && document->is_object()) {
        for (const auto& [name, value] : document->get_object()) {
            headers.emplace(std::string(name), std::string(string_or_empty(value)));
        }
    }
    return headers;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    exporting::TelemetryConfig config;
    auto file = exporting::make_otlp_file_sink(argv[2]);
    if (!file) {
        return 2;
    }
    config.sinks.push_back(*std::move(file));
    const auto telemetry = exporting::Telemetry::start(std::move(config));
    cli::Program program(cli::Config{});
    Job job{program, service::check_app_file(argv[1], program.factory()).app, read_headers(), {}};
    if (!telemetry || !job.app) {
        return 2;
    }
    const auto result = program.runtime().block_on(work, &job);
    (*telemetry)->shutdown();
    const bool is_right_tenant = job.tenant == "acme";
    return result && is_right_tenant ? 0 : 1;
}
