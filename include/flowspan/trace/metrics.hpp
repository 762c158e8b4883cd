#pragma once
// Metrics: instruments that sum up in the process, and the snapshots that exporters read.

#include <opentelemetry/trace/span_context.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace flowspan::trace {

enum class MetricKind : std::uint8_t {
    counter,          ///< only grows
    up_down_counter,  ///< a sum that may shrink
    gauge,            ///< the value now
    histogram,
};

struct InstrumentInfo {
    std::string_view name;
    std::string_view unit;  ///< UCUM: `s`, `{token}`
    std::string_view description;
    MetricKind kind = MetricKind::counter;
    std::span<const double> bounds = {};  ///< histograms: upper bounds, ascending; must be static
    bool is_integer = false;              ///< of counters and gauges
};

/// Of low cardinality: no texts of users, no ids of runs.
struct Label {
    std::string_view key;  ///< from trace/names.hpp
    std::variant<std::string_view, std::int64_t, bool> value;
};

using Labels = std::span<const Label>;

/// One measurement with the span it was made in.
struct Exemplar {
    double value = 0;
    std::chrono::system_clock::time_point at;
    opentelemetry::trace::SpanContext span = opentelemetry::trace::SpanContext::GetInvalid();
};

using OwnedLabel = std::pair<std::string, std::variant<std::string, std::int64_t, bool>>;

struct MetricPoint {
    std::vector<OwnedLabel> labels;      ///< by key
    double value = 0;                    ///< sum of a histogram, value of the others
    std::uint64_t count = 0;             ///< of histograms
    double min = 0;                      ///< of histograms with a count
    double max = 0;                      ///< of histograms with a count
    std::vector<std::uint64_t> buckets;  ///< one more than bounds
    std::vector<Exemplar> exemplars;
};

struct MetricSnapshot {
    InstrumentInfo info;
    std::chrono::system_clock::time_point started_at;
    std::chrono::system_clock::time_point at;
    std::vector<MetricPoint> points;
};

/// When a measurement is kept as an exemplar.
enum class ExemplarFilter : std::uint8_t {
    trace_based,  ///< made in a span that is sampled
    always_on,    ///< made in any span
    always_off,
};

/// Adds up by labels. All members may be called from any thread.
class Instrument {
public:
    /// Series of one instrument. What comes beyond goes into one with `otel.metric.overflow`.
    static constexpr std::size_t kSeriesMax = 2000;

    Instrument(const InstrumentInfo& info, ExemplarFilter filter);
    ~Instrument();
    Instrument(const Instrument&) = delete;
    Instrument& operator=(const Instrument&) = delete;

    /// Counters: adds. Histograms: one measurement. Gauges: the new value.
    void record(double value, Labels labels);

    void record(double value, std::initializer_list<Label> labels) {
        record(value, Labels(labels.begin(), labels.size()));
    }

    /// Histograms: several measurements at once that were counted elsewhere by `bucket_of`.
    struct Batch {
        std::vector<std::uint64_t> buckets;
        double sum = 0;
        double min = 0;
        double max = 0;
    };

    void record_batch(const Batch& batch, Labels labels);

    [[nodiscard]] std::size_t bucket_of(double value) const noexcept;

    [[nodiscard]] const InstrumentInfo& info() const noexcept { return info_; }

    [[nodiscard]] std::vector<MetricPoint> points() const;

private:
    struct State;
    const InstrumentInfo info_;
    std::unique_ptr<State> state_;
};

/// What an observer tells at a snapshot: values that are kept elsewhere.
class Observation {
public:
    explicit Observation(std::vector<MetricSnapshot>& snapshots) : snapshots_(snapshots) {}

    void tell(const InstrumentInfo& info, double value, std::initializer_list<Label> labels = {});

private:
    std::vector<MetricSnapshot>& snapshots_;
};

/// Owns the instruments of a process. All members may be called from any thread.
class MetricRegistry {
public:
    explicit MetricRegistry(ExemplarFilter filter = ExemplarFilter::trace_based);
    ~MetricRegistry();
    MetricRegistry(const MetricRegistry&) = delete;
    MetricRegistry& operator=(const MetricRegistry&) = delete;

    /// The instrument of that name, made at the first call.
    [[nodiscard]] Instrument& instrument(const InstrumentInfo& info);

    using Observer = std::function<void(Observation&)>;

    /// Asks `observer` at each snapshot while the result lives.
    [[nodiscard]] std::shared_ptr<void> observe(Observer observer);

    /// Cumulative since the registry was made; instruments without points are left out.
    [[nodiscard]] std::vector<MetricSnapshot> snapshot() const;

private:
    struct State;
    // Owners: the registry and the handles of its observers.
    std::shared_ptr<State> state_;
};

}  // namespace flowspan::trace
