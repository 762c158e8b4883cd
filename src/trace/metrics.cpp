#include "flowspan/trace/metrics.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"

#include <opentelemetry/trace/context.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>

namespace flowspan::trace {

namespace {

struct Series {
    double value = 0;
    std::uint64_t count = 0;
    double min = 0;
    double max = 0;
    std::vector<std::uint64_t> buckets;
    std::vector<std::optional<Exemplar>> exemplars;  ///< the last of each bucket
};

OwnedLabel own(const Label& label) {
    struct Copy {
        std::variant<std::string, std::int64_t, bool> operator()(std::string_view text) const {
            return std::string(text);
        }

        std::variant<std::string, std::int64_t, bool> operator()(std::int64_t number) const {
            return number;
        }

        std::variant<std::string, std::int64_t, bool> operator()(bool flag) const { return flag; }
    };

    return {std::string(label.key), std::visit(Copy{}, label.value)};
}

std::vector<OwnedLabel> own(Labels labels) {
    std::vector<OwnedLabel> owned;
    owned.reserve(labels.size());
    for (const auto& label : labels) {
        owned.push_back(own(label));
    }
    return owned;
}

// Compares labels in place, so that a look-up copies nothing.
struct LabelOrder {
    using is_transparent = void;

    static int compare(const OwnedLabel& a, const OwnedLabel& b) noexcept {
        return a < b ? -1 : (b < a ? 1 : 0);
    }

    static int compare(const OwnedLabel& a, const Label& b) noexcept {
        if (const int order = a.first.compare(b.key); order != 0) {
            return order;
        }
        if (a.second.index() != b.value.index()) {
            return a.second.index() < b.value.index() ? -1 : 1;
        }
        if (const auto* text = std::get_if<std::string_view>(&b.value)) {
            return std::get<std::string>(a.second).compare(*text);
        }
        if (const auto* number = std::get_if<std::int64_t>(&b.value)) {
            const auto own_number = std::get<std::int64_t>(a.second);
            return own_number < *number ? -1 : (*number < own_number ? 1 : 0);
        }
        return static_cast<int>(std::get<bool>(a.second)) -
               static_cast<int>(std::get<bool>(b.value));
    }

    template <class A, class B>
    static int compare_all(const A& a, const B& b) noexcept {
        const auto size = std::min(a.size(), b.size());
        for (std::size_t i = 0; i < size; ++i) {
            if (const int order = compare(a[i], b[i]); order != 0) {
                return order;
            }
        }
        return a.size() < b.size() ? -1 : (b.size() < a.size() ? 1 : 0);
    }

    using Owned = std::vector<OwnedLabel>;

    bool operator()(const Owned& a, const Owned& b) const noexcept { return compare_all(a, b) < 0; }

    bool operator()(const Owned& a, Labels b) const noexcept { return compare_all(a, b) < 0; }

    bool operator()(Labels a, const Owned& b) const noexcept { return compare_all(b, a) > 0; }
};

// Few labels, mostly in order already.
void sort_by_key(std::span<Label> labels) {
    std::ranges::sort(labels, {}, &Label::key);
}

constexpr std::size_t kLabelsMax = 16;

}  // namespace

struct Instrument::State {
    ExemplarFilter filter;
    mutable std::mutex mutex;
    std::map<std::vector<OwnedLabel>, Series, LabelOrder> series;

    Series& find(Labels given, const InstrumentInfo& info) {
        std::array<Label, kLabelsMax> sorted;
        const auto size = std::min(given.size(), sorted.size());
        std::copy_n(given.begin(), size, sorted.begin());
        const std::span<Label> labels(sorted.data(), size);
        sort_by_key(labels);
        if (const auto found = series.find(Labels(labels)); found != series.end()) {
            return found->second;
        }
        const Label overflow[] = {{names::kMetricOverflow, true}};
        const bool is_full = series.size() >= kSeriesMax;
        auto& made = series[own(is_full ? Labels(overflow) : Labels(labels))];
        if (info.kind == MetricKind::histogram) {
            made.buckets.resize(info.bounds.size() + 1);
        }
        made.exemplars.resize(std::max<std::size_t>(1, made.buckets.size()));
        return made;
    }

    void keep_exemplar(Series& series_now, std::size_t bucket, double value) const {
        if (filter == ExemplarFilter::always_off) {
            return;
        }
        const auto span = opentelemetry::trace::GetSpan(current_context())->GetContext();
        if (!span.IsValid() || (filter == ExemplarFilter::trace_based && !span.IsSampled())) {
            return;
        }
        series_now.exemplars[bucket] = Exemplar{value, real_clock().system_now(), span};
    }
};

Instrument::Instrument(const InstrumentInfo& info, ExemplarFilter filter)
    : info_(info), state_(std::make_unique<State>()) {
    state_->filter = filter;
}

Instrument::~Instrument() = default;

std::size_t Instrument::bucket_of(double value) const noexcept {
    // Upper bounds belong to their bucket.
    return static_cast<std::size_t>(
        std::ranges::lower_bound(info_.bounds, value) - info_.bounds.begin()
    );
}

void Instrument::record(double value, Labels labels) {
    const std::scoped_lock lock(state_->mutex);
    auto& series = state_->find(labels, info_);
    switch (info_.kind) {
        case MetricKind::gauge:
            series.value = value;
            return;
        case MetricKind::counter:
        case MetricKind::up_down_counter:
            series.value += value;
            state_->keep_exemplar(series, 0, value);
            return;
        case MetricKind::histogram:
            break;
    }
    const auto bucket = bucket_of(value);
    ++series.buckets[bucket];
    series.min = series.count == 0 ? value : std::min(series.min, value);
    series.max = series.count == 0 ? value : std::max(series.max, value);
    ++series.count;
    series.value += value;
    state_->keep_exemplar(series, bucket, value);
}

void Instrument::record_batch(const Batch& batch, Labels labels) {
    const std::scoped_lock lock(state_->mutex);
    auto& series = state_->find(labels, info_);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < std::min(batch.buckets.size(), series.buckets.size()); ++i) {
        series.buckets[i] += batch.buckets[i];
        count += batch.buckets[i];
    }
    if (count == 0) {
        return;
    }
    series.min = series.count == 0 ? batch.min : std::min(series.min, batch.min);
    series.max = series.count == 0 ? batch.max : std::max(series.max, batch.max);
    series.count += count;
    series.value += batch.sum;
    state_->keep_exemplar(series, bucket_of(batch.max), batch.max);
}

std::vector<MetricPoint> Instrument::points() const {
    const std::scoped_lock lock(state_->mutex);
    std::vector<MetricPoint> points;
    points.reserve(state_->series.size());
    for (const auto& [labels, series] : state_->series) {
        auto& point = points.emplace_back();
        point.labels = labels;
        point.value = series.value;
        point.count = series.count;
        point.min = series.min;
        point.max = series.max;
        point.buckets = series.buckets;
        for (const auto& exemplar : series.exemplars) {
            if (exemplar) {
                point.exemplars.push_back(*exemplar);
            }
        }
    }
    return points;
}

void Observation::tell(
    const InstrumentInfo& info, double value, std::initializer_list<Label> labels
) {
    auto found = std::ranges::find_if(snapshots_, [&info](const MetricSnapshot& snapshot) {
        return snapshot.info.name == info.name;
    });
    if (found == snapshots_.end()) {
        found = snapshots_.emplace(snapshots_.end());
        found->info = info;
    }
    MetricPoint point;
    point.labels = own(Labels(labels.begin(), labels.size()));
    std::ranges::sort(point.labels);
    point.value = value;
    found->points.push_back(std::move(point));
}

struct MetricRegistry::State {
    ExemplarFilter filter;
    std::chrono::system_clock::time_point started_at;
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<Instrument>, std::less<>> instruments;
    std::map<std::uint64_t, Observer> observers;
    std::uint64_t next_observer = 0;
};

MetricRegistry::MetricRegistry(ExemplarFilter filter) : state_(std::make_shared<State>()) {
    state_->filter = filter;
    state_->started_at = real_clock().system_now();
}

MetricRegistry::~MetricRegistry() = default;

Instrument& MetricRegistry::instrument(const InstrumentInfo& info) {
    const std::scoped_lock lock(state_->mutex);
    auto& made = state_->instruments[std::string(info.name)];
    if (made == nullptr) {
        made = std::make_unique<Instrument>(info, state_->filter);
    }
    return *made;
}

std::shared_ptr<void> MetricRegistry::observe(Observer observer) {
    const std::scoped_lock lock(state_->mutex);
    const auto id = state_->next_observer++;
    state_->observers.emplace(id, std::move(observer));
    // Ends the observation; waits for a snapshot that runs.
    return {nullptr, [state = state_, id](void*) {
                const std::scoped_lock inner_lock(state->mutex);
                state->observers.erase(id);
            }};
}

std::vector<MetricSnapshot> MetricRegistry::snapshot() const {
    const std::scoped_lock lock(state_->mutex);
    std::vector<MetricSnapshot> snapshots;
    for (const auto& [name, instrument] : state_->instruments) {
        auto points = instrument->points();
        if (!points.empty()) {
            auto& snapshot = snapshots.emplace_back();
            snapshot.info = instrument->info();
            snapshot.points = std::move(points);
        }
    }
    Observation observation(snapshots);
    for (const auto& [id, observer] : state_->observers) {
        observer(observation);
    }
    const auto now = real_clock().system_now();
    for (auto& snapshot : snapshots) {
        snapshot.started_at = state_->started_at;
        snapshot.at = now;
    }
    std::ranges::sort(snapshots, {}, [](const MetricSnapshot& one) { return one.info.name; });
    return snapshots;
}

}  // namespace flowspan::trace
