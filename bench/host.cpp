#include "host.hpp"

#include "export/memory_sink.hpp"
#include "flowspan/async/runtime.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace flowspan::bench {

namespace {

std::unique_ptr<exporting::Telemetry> start_telemetry(
    Host::Tracing tracing, const std::string& otlp_endpoint
) {
    exporting::TelemetryConfig config;
    if (!otlp_endpoint.empty()) {
        auto& otlp = config.otlp.emplace_back();
        otlp.endpoint = otlp_endpoint;
        // Soon enough that a receiver which hangs is given up and tried again in a burst's time.
        otlp.timeout = std::chrono::seconds(1);
    } else if (tracing == Host::Tracing::on) {
        config.sinks.push_back(std::make_shared<exporting::NullSink>());
    }
    auto telemetry = exporting::Telemetry::start(std::move(config));
    if (!telemetry) {
        give_up(telemetry.error().describe());
    }
    return *std::move(telemetry);
}

cli::Config make_config(const std::string& model_url) {
    cli::Config config;
    config.limits.steps_max = 1'000'000;  // containers have thousands of rounds
    if (!model_url.empty()) {
        config.models.default_endpoint.emplace();
        config.models.default_endpoint->base_url = model_url;
    }
    return config;
}

Task<double> run_in_a_row(
    service::AppGenerateService* service, std::shared_ptr<const service::LoadedApp> app, int count
) {
    CountingSink sink;
    const auto start = real_clock().steady_now();
    for (int i = 0; i < count; ++i) {
        const auto request = make_request(app);
        const auto result = co_await service->generate(request, sink);
        if (!result) {
            give_up(result.error().full_text());
        }
        if (result->run.status != engine::RunStatus::succeeded) {
            give_up(result->run.error ? result->run.error->full_text() : "the run failed");
        }
    }
    const std::chrono::duration<double, std::micro> elapsed = real_clock().steady_now() - start;
    co_return elapsed.count() / count;
}

}  // namespace

void give_up(std::string_view message) {
    fmt::print(stderr, "flowspan_bench: {}\n", message);
    std::exit(1);
}

Host::Host(Tracing tracing, const std::string& model_url, const std::string& otlp_endpoint)
    : telemetry_(start_telemetry(tracing, otlp_endpoint)), program_(make_config(model_url)) {}

Host::~Host() = default;

std::shared_ptr<const service::LoadedApp> Host::load(const std::string& app_text) const {
    const auto check = service::check_app_text(app_text, "bench.yml", program_.factory());
    if (!check.app) {
        for (const auto& problem : check.problems) {
            fmt::print(stderr, "line {}: {}\n", problem.position.line, problem.message);
        }
        give_up("an app of the bench does not load");
    }
    return check.app;
}

double Host::time_runs(const std::shared_ptr<const service::LoadedApp>& app, int count) {
    return program_.runtime().block_on(run_in_a_row, &program_.generate_service(), app, count);
}

service::GenerateRequest make_request(const std::shared_ptr<const service::LoadedApp>& app) {
    service::GenerateRequest request;
    request.app = app;
    request.user = "bench";
    request.invoke_from = "service-api";
    if (app->app.mode == dsl::AppMode::workflow) {
        request.inputs["text"] = "A text of some length, as a user would give it.";
    } else {
        request.query = "Say something of some length.";
    }
    return request;
}

void CountingSink::on_event(const engine::Event& event) {
    if (std::holds_alternative<engine::NodeRunStreamChunk>(event)) {
        ++chunks_;
    }
}

}  // namespace flowspan::bench
