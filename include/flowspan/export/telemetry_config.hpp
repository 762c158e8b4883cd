#pragma once
// What of a run's trace goes where: the settings of the tracing set-up, with their defaults.

#include "flowspan/export/span_limits.hpp"
#include "flowspan/trace/content.hpp"
#include "flowspan/trace/redactor.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace flowspan::exporting {

class SpanSink;

struct ResourceAttribute {
    std::string name;
    std::variant<std::string, std::int64_t, double, bool> value;

    bool operator==(const ResourceAttribute&) const = default;
};

enum class SamplerKind : std::uint8_t {
    always_on,
    always_off,
    traceidratio,
    parentbased_always_on,
    parentbased_always_off,
    parentbased_traceidratio,
};

struct SamplerConfig {
    SamplerKind kind = SamplerKind::parentbased_always_on;
    double ratio = 1.0;  ///< share of traces kept by the ratio kinds, 0 to 1

    bool operator==(const SamplerConfig&) const = default;
};

/// Which runs are exported, decided when they are over. A run that failed anywhere, was slow or
/// costly or asks for it (`flowspan.sampling.keep`) is kept whole; of the others a share.
struct RunSamplingConfig {
    double ratio = 1.0;                 ///< share of ordinary runs kept; 1 keeps all: no rule
    std::chrono::milliseconds slow{0};  ///< runs that last as long are kept; 0: no such rule
    std::int64_t tokens = 0;            ///< runs that use as many are kept; 0: no such rule
    double cost = 0;                    ///< runs that cost as much are kept; 0: no such rule
    // Spans of runs that are not over. Beyond, the run with the most is judged early.
    std::size_t buffer_spans_max = 100'000;
    std::size_t buffer_bytes_max = 64UL * 1024UL * 1024UL;

    bool operator==(const RunSamplingConfig&) const = default;
};

/// Between the end of a span and its sink. Each sink has a queue of its own with these limits.
struct BatchConfig {
    std::size_t queue_spans_max = 32768;  ///< beyond it spans are dropped and counted
    std::size_t queue_bytes_max = 64UL * 1024UL * 1024UL;
    std::size_t batch_spans_max = 512;
    /// A larger span goes alone. Receivers commonly refuse requests beyond 4 MiB.
    std::size_t batch_bytes_max = 2UL * 1024UL * 1024UL;
    std::chrono::milliseconds schedule_delay{1000};
    std::size_t attempts_max = 5;  ///< per batch, retryable failures only
    std::chrono::milliseconds retry_delay_first{200};
    std::chrono::milliseconds retry_delay_max{5000};

    bool operator==(const BatchConfig&) const = default;
};

enum class OtlpProtocol : std::uint8_t { http_protobuf, http_json, grpc };

struct OtlpConfig {
    OtlpProtocol protocol = OtlpProtocol::http_protobuf;
    /// Complete: `http://host:4318/v1/traces`, or `http://host:4317` for gRPC. `https` means TLS.
    std::string endpoint;
    std::vector<std::pair<std::string, std::string>> headers;
    std::chrono::milliseconds timeout{10000};  ///< of one request
    bool is_gzip = false;
    std::string ca_file;           ///< PEM; empty: the system's
    std::string client_cert_file;  ///< PEM
    std::string client_key_file;   ///< PEM

    bool operator==(const OtlpConfig&) const = default;
};

/// The local span store. Several processes may share one file.
struct StoreConfig {
    std::string path;
    std::chrono::seconds age_max = std::chrono::hours(24 * 7);  ///< older traces are removed
    std::uint64_t bytes_max = 256UL * 1024UL * 1024UL;          ///< the oldest traces go first
    /// How long changes are collected before they are written together. A process that is killed
    /// loses of the spans that ended within it what its journal does not hold: most attributes.
    std::chrono::milliseconds delay{100};
    trace::ContentRules content = {};  ///< what of the recorded content is kept

    bool operator==(const StoreConfig&) const = default;
};

/// Where the messages of model calls go, as far as the rules of content allow them at all.
enum class MessagePlace : std::uint8_t {
    span,   ///< attributes of the call's span
    event,  ///< a log event beside it; receivers of spans see sizes alone, the store keeps its own
    both,
};

/// A receiver with rules of its own.
struct Destination {
    std::string name;  ///< for messages; empty: its endpoint
    OtlpConfig otlp;
    std::string dialect = {};                      ///< empty: as recorded
    trace::ContentRules content = {};              ///< what of the recorded content it gets
    std::vector<ResourceAttribute> resource = {};  ///< besides the process's own

    bool operator==(const Destination&) const = default;
};

/// Finds an environment variable; empty when unset.
using EnvironmentLookup = std::function<std::string(const char* name)>;

/// The settings of a Telemetry. Without a sink nothing is traced.
struct TelemetryConfig {
    bool is_disabled = false;
    std::string service_name = "flowspan";
    std::string service_version;  ///< left out when empty
    /// Added to service.*, host.name, process.pid and telemetry.sdk.*; a name given here wins.
    std::vector<ResourceAttribute> resource;
    SamplerConfig sampler;
    RunSamplingConfig run_sampling;
    /// Spans that run for so long are announced to receivers before they end; 0: never. Not
    /// together with the sampling of runs, which does not know yet whether they are wanted.
    std::chrono::milliseconds pending_after{0};
    SpanLimits limits;
    BatchConfig batch;
    std::string propagators = "tracecontext,baggage";
    std::vector<OtlpConfig> otlp;  ///< one sink each
    std::vector<Destination> destinations;
    /// What of the recorded content all other sinks get; the store has rules of its own.
    trace::ContentRules content;
    MessagePlace messages_on = MessagePlace::span;
    bool is_console = false;  ///< OTLP JSON lines on standard error
    /// Keeps all recorded spans, also while they run; never sampled.
    std::optional<StoreConfig> store;
    /// Further sinks, kept alive by whoever reads them afterwards and by the pipeline.
    std::vector<std::shared_ptr<SpanSink>> sinks;
    /// What is taken out of every text before it is kept; null: only what is built in. Runs add
    /// their app's secrets.
    std::shared_ptr<const trace::Redactor> redactor;
    /// Makes trace and span ids repeatable, for tests.
    std::optional<std::uint64_t> id_seed;
    /// What from_environment() could not use, one line each; for the user's eyes.
    std::vector<std::string> warnings;

    /// The OTEL_* variables of the OpenTelemetry specification. Without an OTLP endpoint variable
    /// nothing is exported, unless OTEL_TRACES_EXPORTER says otherwise. A value that cannot be
    /// parsed leaves the default and adds a warning.
    [[nodiscard]] static TelemetryConfig from_environment(const EnvironmentLookup& lookup);
    /// Of the process.
    [[nodiscard]] static TelemetryConfig from_environment();
};

}  // namespace flowspan::exporting
