#pragma once
// Which metrics and logs go where: the settings beside those for traces.

#include "flowspan/export/telemetry_config.hpp"
#include "flowspan/trace/metrics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::exporting {

/// Where `/metrics` is served for Prometheus.
struct ScrapeConfig {
    std::string host = "127.0.0.1";  ///< a numeric address or `localhost`
    std::uint16_t port = 9464;       ///< 0: any free one

    bool operator==(const ScrapeConfig&) const = default;
};

struct MetricsConfig {
    std::vector<OtlpConfig> otlp;  ///< one exporter each
    bool is_console = false;       ///< OTLP JSON lines on standard error
    std::optional<ScrapeConfig> scrape;
    std::string file;  ///< Prometheus text, written at the end; empty: none
    std::chrono::milliseconds interval{60'000};
    trace::ExemplarFilter exemplars = trace::ExemplarFilter::trace_based;

    [[nodiscard]] bool is_wanted() const noexcept {
        return !otlp.empty() || is_console || scrape.has_value() || !file.empty();
    }
};

struct LogsConfig {
    std::vector<OtlpConfig> otlp;
    bool is_console = false;  ///< OTLP JSON lines on standard error
    std::chrono::milliseconds schedule_delay{1000};
    std::size_t queue_records_max = 4096;  ///< beyond it records are dropped and counted
    std::size_t queue_bytes_max = 8UL * 1024UL * 1024UL;
    std::size_t batch_records_max = 512;
    std::size_t attempts_max = 5;  ///< per batch and receiver, retryable failures only
    std::chrono::milliseconds retry_delay_first{200};
    std::chrono::milliseconds retry_delay_max{5000};

    [[nodiscard]] bool is_wanted() const noexcept { return !otlp.empty() || is_console; }
};

struct SignalsConfig {
    MetricsConfig metrics;
    LogsConfig logs;
    /// What from_environment() could not use, one line each; for the user's eyes.
    std::vector<std::string> warnings;

    /// OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER and what belongs to them. Without these, or an
    /// endpoint variable of the signal's own, nothing leaves.
    [[nodiscard]] static SignalsConfig from_environment(const EnvironmentLookup& lookup);
    /// Of the process.
    [[nodiscard]] static SignalsConfig from_environment();
};

}  // namespace flowspan::exporting
