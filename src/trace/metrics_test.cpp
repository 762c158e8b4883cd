#include "flowspan/trace/metrics.hpp"

#include "flowspan/trace/names.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/scope.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::trace {
namespace {

constexpr std::array kBounds = {1.0, 10.0, 100.0};

constexpr InstrumentInfo kHistogram{
    "test.duration", "s", "for tests", MetricKind::histogram, kBounds, false
};
constexpr InstrumentInfo kCounter{
    "test.count", "{thing}", "for tests", MetricKind::counter, {}, true
};

TEST(Metrics, SumsUpByLabelsWhateverTheirOrder) {
    MetricRegistry registry;
    auto& counter = registry.instrument(kCounter);
    counter.record(1, {{"a", std::string_view("x")}, {"b", std::int64_t{7}}});
    counter.record(2, {{"b", std::int64_t{7}}, {"a", std::string_view("x")}});
    counter.record(4, {{"a", std::string_view("y")}});
    counter.record(8, {});
    const auto snapshots = registry.snapshot();
    ASSERT_EQ(snapshots.size(), 1U);
    EXPECT_EQ(snapshots[0].info.name, "test.count");
    ASSERT_EQ(snapshots[0].points.size(), 3U);
    EXPECT_EQ(snapshots[0].points[0].value, 8);
    EXPECT_EQ(snapshots[0].points[1].value, 3);
    EXPECT_EQ(snapshots[0].points[1].labels.at(0).first, "a");
    EXPECT_EQ(snapshots[0].points[2].value, 4);
}

TEST(Metrics, SortsMeasurementsIntoBucketsWithUpperBoundsInside) {
    MetricRegistry registry;
    auto& histogram = registry.instrument(kHistogram);
    for (const double value : {0.5, 1.0, 1.5, 10.0, 99.0, 1000.0}) {
        histogram.record(value, {});
    }
    const auto snapshots = registry.snapshot();
    const auto& point = snapshots.at(0).points.at(0);
    EXPECT_EQ(point.buckets, (std::vector<std::uint64_t>{2, 2, 1, 1}));
    EXPECT_EQ(point.count, 6U);
    EXPECT_DOUBLE_EQ(point.value, 1112.0);
    EXPECT_DOUBLE_EQ(point.min, 0.5);
    EXPECT_DOUBLE_EQ(point.max, 1000.0);
}

TEST(Metrics, TakesBatchesThatWereCountedElsewhere) {
    MetricRegistry registry;
    auto& histogram = registry.instrument(kHistogram);
    histogram.record(5, {});
    histogram.record_batch({.buckets = {1, 2, 0, 0}, .sum = 9, .min = 0.25, .max = 6}, {});
    histogram.record_batch({}, {});
    const auto snapshots = registry.snapshot();
    const auto& point = snapshots.at(0).points.at(0);
    EXPECT_EQ(point.buckets, (std::vector<std::uint64_t>{1, 3, 0, 0}));
    EXPECT_EQ(point.count, 4U);
    EXPECT_DOUBLE_EQ(point.value, 14);
    EXPECT_DOUBLE_EQ(point.min, 0.25);
    EXPECT_DOUBLE_EQ(point.max, 6);
}

TEST(Metrics, SeriesBeyondTheLimitShareOneOfTheirOwn) {
    MetricRegistry registry;
    auto& counter = registry.instrument(kCounter);
    constexpr auto kMax = static_cast<std::int64_t>(Instrument::kSeriesMax);
    for (std::int64_t i = 0; i < kMax + 10; ++i) {
        counter.record(1, {{"n", i}});
    }
    const auto points = counter.points();
    ASSERT_EQ(points.size(), Instrument::kSeriesMax + 1);
    double overflow = 0;
    for (const auto& point : points) {
        if (point.labels.at(0).first == names::kMetricOverflow) {
            overflow = point.value;
        }
    }
    EXPECT_EQ(overflow, 10);
}

TEST(Metrics, ExemplarNamesTheSpanOfTheLastMeasurementInItsBucket) {
    SpanRecording recording;
    MetricRegistry registry;
    auto& histogram = registry.instrument(kHistogram);
    histogram.record(0.5, {});
    opentelemetry::trace::SpanId id;
    {
        auto span = tracer().StartSpan("one");
        const opentelemetry::trace::Scope scope(span);
        id = span->GetContext().span_id();
        histogram.record(50, {});
        histogram.record(60, {});
        span->End();
    }
    const auto points = histogram.points();
    const auto& exemplars = points.at(0).exemplars;
    ASSERT_EQ(exemplars.size(), 1U) << "what was measured outside of spans is none";
    EXPECT_EQ(exemplars[0].span.span_id(), id);
    EXPECT_DOUBLE_EQ(exemplars[0].value, 60);
}

TEST(Metrics, ObserversAreAskedWhileTheirHandleLives) {
    MetricRegistry registry;
    constexpr InstrumentInfo kGauge{"test.now", "1", "", MetricKind::gauge, {}, true};
    auto handle = registry.observe([&kGauge](Observation& to) {
        to.tell(kGauge, 3, {{"pool", std::string_view("a")}});
        to.tell(kGauge, 4, {{"pool", std::string_view("b")}});
    });
    const auto snapshots = registry.snapshot();
    ASSERT_EQ(snapshots.size(), 1U);
    EXPECT_EQ(snapshots[0].points.size(), 2U);
    handle.reset();
    EXPECT_TRUE(registry.snapshot().empty());
}

TEST(Metrics, ManyThreadsLoseNothing) {
    MetricRegistry registry;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&registry] {
                for (std::int64_t i = 0; i < 1000; ++i) {
                    registry.instrument(kCounter).record(1, {{"n", i % 5}});
                }
            });
        }
    }
    double sum = 0;
    for (const auto& point : registry.instrument(kCounter).points()) {
        sum += point.value;
    }
    EXPECT_EQ(sum, 4000);
}

}  // namespace
}  // namespace flowspan::trace
