#include "export/otlp_metrics.hpp"

#include "export/otlp_common.hpp"

#include <bit>
#include <chrono>

namespace flowspan::exporting {

namespace {

using trace::MetricKind;
using trace::MetricPoint;
using trace::MetricSnapshot;

// Field numbers of the messages, as opentelemetry-proto 1.x fixes them.
namespace field {
constexpr std::uint32_t kScopeMetrics = 2;
constexpr std::uint32_t kName = 1;
constexpr std::uint32_t kDescription = 2;
constexpr std::uint32_t kUnit = 3;
constexpr std::uint32_t kGauge = 5;
constexpr std::uint32_t kSum = 7;
constexpr std::uint32_t kHistogram = 9;
constexpr std::uint32_t kPoints = 1;
constexpr std::uint32_t kTemporality = 2;
constexpr std::uint32_t kMonotonic = 3;
constexpr std::uint32_t kStart = 2;
constexpr std::uint32_t kTime = 3;
constexpr std::uint32_t kNumberDouble = 4;
constexpr std::uint32_t kNumberExemplars = 5;
constexpr std::uint32_t kNumberInt = 6;
constexpr std::uint32_t kNumberAttributes = 7;
constexpr std::uint32_t kCount = 4;
constexpr std::uint32_t kSumValue = 5;
constexpr std::uint32_t kBucketCounts = 6;
constexpr std::uint32_t kBounds = 7;
constexpr std::uint32_t kHistogramExemplars = 8;
constexpr std::uint32_t kHistogramAttributes = 9;
constexpr std::uint32_t kMin = 11;
constexpr std::uint32_t kMax = 12;
constexpr std::uint32_t kExemplarTime = 2;
constexpr std::uint32_t kExemplarDouble = 3;
constexpr std::uint32_t kExemplarSpan = 4;
constexpr std::uint32_t kExemplarTrace = 5;
}  // namespace field

constexpr int kCumulative = 2;

std::uint64_t bits(double value) {
    return std::bit_cast<std::uint64_t>(value);
}

std::uint64_t nanoseconds(std::chrono::system_clock::time_point time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count()
    );
}

template <class Number>
std::string packed(const Number& numbers) {
    std::string out;
    for (const auto number : numbers) {
        const auto raw = std::bit_cast<std::array<char, 8>>(number);
        out.append(raw.data(), raw.size());
    }
    return out;
}

void write_exemplars(ProtobufWriter& writer, std::uint32_t number, const MetricPoint& point) {
    for (const auto& exemplar : point.exemplars) {
        writer.message(number, [&] {
            writer.fixed64(field::kExemplarTime, nanoseconds(exemplar.at));
            writer.fixed64(field::kExemplarDouble, bits(exemplar.value));
            writer.id(field::kExemplarSpan, exemplar.span.span_id());
            writer.id(field::kExemplarTrace, exemplar.span.trace_id());
        });
    }
}

void write_number(
    ProtobufWriter& writer, const MetricSnapshot& snapshot, const MetricPoint& point
) {
    if (snapshot.info.kind != MetricKind::gauge) {
        writer.fixed64(field::kStart, nanoseconds(snapshot.started_at));
    }
    writer.fixed64(field::kTime, nanoseconds(snapshot.at));
    if (snapshot.info.is_integer) {
        writer.fixed64(
            field::kNumberInt, static_cast<std::uint64_t>(static_cast<std::int64_t>(point.value))
        );
    } else {
        writer.fixed64(field::kNumberDouble, bits(point.value));
    }
    write_exemplars(writer, field::kNumberExemplars, point);
    for (const auto& [key, value] : point.labels) {
        write_key_value(writer, field::kNumberAttributes, key, value);
    }
}

void write_histogram(
    ProtobufWriter& writer, const MetricSnapshot& snapshot, const MetricPoint& point
) {
    writer.fixed64(field::kStart, nanoseconds(snapshot.started_at));
    writer.fixed64(field::kTime, nanoseconds(snapshot.at));
    writer.fixed64(field::kCount, point.count);
    writer.fixed64(field::kSumValue, bits(point.value));
    writer.bytes(field::kBucketCounts, packed(point.buckets));
    writer.bytes(field::kBounds, packed(snapshot.info.bounds));
    write_exemplars(writer, field::kHistogramExemplars, point);
    for (const auto& [key, value] : point.labels) {
        write_key_value(writer, field::kHistogramAttributes, key, value);
    }
    writer.fixed64(field::kMin, bits(point.min));
    writer.fixed64(field::kMax, bits(point.max));
}

void write_data(ProtobufWriter& writer, const MetricSnapshot& snapshot) {
    const auto kind = snapshot.info.kind;
    for (const auto& point : snapshot.points) {
        writer.message(field::kPoints, [&] {
            if (kind == MetricKind::histogram) {
                write_histogram(writer, snapshot, point);
            } else {
                write_number(writer, snapshot, point);
            }
        });
    }
    if (kind != MetricKind::gauge) {
        writer.varint(field::kTemporality, kCumulative);
    }
    if (kind == MetricKind::counter) {
        writer.varint(field::kMonotonic, 1);
    }
}

std::uint32_t data_field(MetricKind kind) {
    switch (kind) {
        case MetricKind::gauge:
            return field::kGauge;
        case MetricKind::histogram:
            return field::kHistogram;
        default:
            return field::kSum;
    }
}

std::string text_of(std::uint64_t number) {
    return fmt::format("{}", number);
}

json::array labels_json(const MetricPoint& point) {
    json::array labels;
    for (const auto& [key, value] : point.labels) {
        labels.push_back(key_value_json(key, value));
    }
    return labels;
}

json::array exemplars_json(const MetricPoint& point) {
    json::array list;
    for (const auto& exemplar : point.exemplars) {
        list.push_back(json::object{
            {"timeUnixNano", text_of(nanoseconds(exemplar.at))},
            {"asDouble", exemplar.value},
            {"spanId", to_hex(exemplar.span.span_id())},
            {"traceId", to_hex(exemplar.span.trace_id())},
        });
    }
    return list;
}

json::object point_json(const MetricSnapshot& snapshot, const MetricPoint& point) {
    json::object object{
        {"startTimeUnixNano", text_of(nanoseconds(snapshot.started_at))},
        {"timeUnixNano", text_of(nanoseconds(snapshot.at))},
        {"attributes", labels_json(point)},
    };
    if (!point.exemplars.empty()) {
        object["exemplars"] = exemplars_json(point);
    }
    if (snapshot.info.kind != MetricKind::histogram) {
        if (snapshot.info.is_integer) {
            object["asInt"] = fmt::format("{}", static_cast<std::int64_t>(point.value));
        } else {
            object["asDouble"] = point.value;
        }
        return object;
    }
    json::array counts;
    for (const auto count : point.buckets) {
        counts.emplace_back(text_of(count));
    }
    object["count"] = text_of(point.count);
    object["sum"] = point.value;
    object["bucketCounts"] = std::move(counts);
    object["explicitBounds"] =
        json::array(snapshot.info.bounds.begin(), snapshot.info.bounds.end());
    object["min"] = point.min;
    object["max"] = point.max;
    return object;
}

json::object metric_json(const MetricSnapshot& snapshot) {
    json::array points;
    for (const auto& point : snapshot.points) {
        points.push_back(point_json(snapshot, point));
    }
    json::object data{{"dataPoints", std::move(points)}};
    const auto kind = snapshot.info.kind;
    if (kind != MetricKind::gauge) {
        data["aggregationTemporality"] = kCumulative;
    }
    if (kind == MetricKind::counter) {
        data["isMonotonic"] = true;
    }
    const auto* word = kind == MetricKind::gauge       ? "gauge"
                       : kind == MetricKind::histogram ? "histogram"
                                                       : "sum";
    return {
        {"name", snapshot.info.name},
        {"description", snapshot.info.description},
        {"unit", snapshot.info.unit},
        {word, std::move(data)},
    };
}

}  // namespace

void append_metrics_protobuf(
    std::string& out,
    const ExportResource& resource,
    std::span<const trace::MetricSnapshot> snapshots
) {
    ProtobufWriter writer(out);
    write_resource_and_scope(writer, resource, [&] {
        for (const auto& snapshot : snapshots) {
            writer.message(field::kScopeMetrics, [&] {
                writer.bytes(field::kName, snapshot.info.name);
                writer.bytes(field::kDescription, snapshot.info.description);
                writer.bytes(field::kUnit, snapshot.info.unit);
                writer.message(data_field(snapshot.info.kind), [&] {
                    write_data(writer, snapshot);
                });
            });
        }
    });
}

void append_metrics_json(
    std::string& out,
    const ExportResource& resource,
    std::span<const trace::MetricSnapshot> snapshots
) {
    json::array metrics;
    for (const auto& snapshot : snapshots) {
        metrics.push_back(metric_json(snapshot));
    }
    out += to_json_text(request_json(
        resource, "resourceMetrics", "scopeMetrics", json::object{{"metrics", std::move(metrics)}}
    ));
}

}  // namespace flowspan::exporting
