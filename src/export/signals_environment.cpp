#include "export/environment.hpp"
#include "flowspan/export/signals_config.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace flowspan::exporting {

namespace {

// Unlike traces these two go nowhere unless somebody asks: many receivers of traces take neither.
std::string exporters(const Environment& environment, OtlpSignal signal) {
    auto names = environment.text(fmt::format("OTEL_{}_EXPORTER", signal_name(signal)).c_str());
    if (names.empty()) {
        names = environment.own_otlp(signal, "ENDPOINT").empty() ? "none" : "otlp";
    }
    return names;
}

void read_scrape(Environment& environment, MetricsConfig& metrics) {
    auto& scrape = metrics.scrape.emplace();
    if (auto host = environment.text("OTEL_EXPORTER_PROMETHEUS_HOST"); !host.empty()) {
        scrape.host = std::move(host);
    }
    std::size_t port = scrape.port;
    environment.size("OTEL_EXPORTER_PROMETHEUS_PORT", 0, port);
    if (port > std::numeric_limits<std::uint16_t>::max()) {
        environment.warn("OTEL_EXPORTER_PROMETHEUS_PORT", fmt::format("{}", port), "is no port");
        return;
    }
    scrape.port = static_cast<std::uint16_t>(port);
}

void read_metrics(Environment& environment, MetricsConfig& metrics) {
    for (const auto item : split(exporters(environment, OtlpSignal::metrics), ',')) {
        const auto name = trim(item);
        if (name == "otlp") {
            metrics.otlp.push_back(read_otlp(environment, OtlpSignal::metrics));
        } else if (name == "console") {
            metrics.is_console = true;
        } else if (name == "prometheus") {
            read_scrape(environment, metrics);
        } else if (!name.empty() && name != "none") {
            environment.warn("OTEL_METRICS_EXPORTER", name, "is not known");
        }
    }
    environment.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", metrics.interval);
    metrics.interval = std::max(metrics.interval, std::chrono::milliseconds(1));
    auto timeout = std::chrono::milliseconds(0);
    environment.milliseconds("OTEL_METRIC_EXPORT_TIMEOUT", timeout);
    for (auto& otlp : metrics.otlp) {
        if (timeout.count() > 0) {
            otlp.timeout = std::min(otlp.timeout, timeout);
        }
    }
    static constexpr std::array<std::pair<std::string_view, trace::ExemplarFilter>, 3> kFilters = {{
        {"trace_based", trace::ExemplarFilter::trace_based},
        {"always_on", trace::ExemplarFilter::always_on},
        {"always_off", trace::ExemplarFilter::always_off},
    }};
    const auto filter = environment.text("OTEL_METRICS_EXEMPLAR_FILTER");
    const auto* found =
        std::ranges::find(kFilters, filter, [](const auto& one) { return one.first; });
    if (found != kFilters.end()) {
        metrics.exemplars = found->second;
    } else if (!filter.empty()) {
        environment.warn("OTEL_METRICS_EXEMPLAR_FILTER", filter, "is not known");
    }
    const auto temporality = environment.own_otlp(OtlpSignal::metrics, "TEMPORALITY_PREFERENCE");
    if (!temporality.empty() && temporality != "cumulative") {
        environment.warn(
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            temporality,
            "is not done here, sums are cumulative"
        );
    }
}

void read_logs(Environment& environment, LogsConfig& logs) {
    for (const auto item : split(exporters(environment, OtlpSignal::logs), ',')) {
        const auto name = trim(item);
        if (name == "otlp") {
            logs.otlp.push_back(read_otlp(environment, OtlpSignal::logs));
        } else if (name == "console") {
            logs.is_console = true;
        } else if (!name.empty() && name != "none") {
            environment.warn("OTEL_LOGS_EXPORTER", name, "is not known");
        }
    }
    environment.milliseconds("OTEL_BLRP_SCHEDULE_DELAY", logs.schedule_delay);
    environment.size("OTEL_BLRP_MAX_QUEUE_SIZE", 1, logs.queue_records_max);
    environment.size("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", 1, logs.batch_records_max);
    logs.batch_records_max = std::min(logs.batch_records_max, logs.queue_records_max);
}

}  // namespace

SignalsConfig SignalsConfig::from_environment(const EnvironmentLookup& lookup) {
    SignalsConfig config;
    Environment environment(lookup, config.warnings);
    if (environment.flag("OTEL_SDK_DISABLED")) {
        return config;
    }
    read_metrics(environment, config.metrics);
    read_logs(environment, config.logs);
    return config;
}

SignalsConfig SignalsConfig::from_environment() {
    return from_environment(process_environment());
}

}  // namespace flowspan::exporting
