#pragma once
// For tests of this room: span records made by hand.

#include "export/span_record.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::exporting {

/// Ids are small numbers; times are microseconds since the trace's start.
struct TestSpan {
    std::uint8_t id = 1;
    std::uint8_t parent = 0;
    std::string_view name = "span";
    std::int64_t start_us = 0;
    std::int64_t duration_us = 1000;
    std::vector<std::pair<std::string_view, SpanRecord::Value>> attributes = {};
    std::string_view error = {};
    std::uint8_t trace = 1;
    opentelemetry::trace::SpanKind kind = opentelemetry::trace::SpanKind::kInternal;
};

inline opentelemetry::trace::SpanId test_span_id(std::uint8_t number) {
    const std::array<std::uint8_t, 8> bytes = {0, 0, 0, 0, 0, 0, 0, number};
    return opentelemetry::trace::SpanId(
        opentelemetry::nostd::span<const std::uint8_t, 8>(bytes.data(), bytes.size())
    );
}

inline opentelemetry::trace::TraceId test_trace_id(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = number;
    return opentelemetry::trace::TraceId(
        opentelemetry::nostd::span<const std::uint8_t, 16>(bytes.data(), bytes.size())
    );
}

/// 2026-01-31T00:00:00Z.
inline constexpr std::int64_t kTestStartNs = 1'769'817'600'000'000'000;

inline std::shared_ptr<SpanRecord> make_record(const TestSpan& test) {
    auto record = std::make_shared<SpanRecord>();
    record->trace_id = test_trace_id(test.trace);
    record->span_id = test_span_id(test.id);
    record->parent_span_id = test_span_id(test.parent);
    record->set_name(test.name);
    record->set_scope("flowspan", "", "");
    record->kind = test.kind;
    record->trace_flags = 1;
    record->start_ns = kTestStartNs + test.start_us * 1000;
    record->duration_ns = test.duration_us * 1000;
    for (const auto& [key, value] : test.attributes) {
        record->set_attribute(key, value, {});
    }
    if (!test.error.empty()) {
        record->set_status(opentelemetry::trace::StatusCode::kError, test.error);
    }
    return record;
}

inline std::vector<SpanRecordPtr> make_records(const std::vector<TestSpan>& tests) {
    std::vector<SpanRecordPtr> records;
    records.reserve(tests.size());
    for (const auto& test : tests) {
        records.push_back(make_record(test));
    }
    return records;
}

}  // namespace flowspan::exporting
