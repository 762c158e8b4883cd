#pragma once
// SpanRecordable: lets the SDK write a SpanRecord.

#include "export/live_span.hpp"
#include "export/span_record.hpp"
#include "flowspan/trace/redactor.hpp"

#include <opentelemetry/sdk/trace/recordable.h>

#include <memory>
#include <mutex>

namespace flowspan::exporting {

/// `limits` and `redactor` must outlive the recordable; both belong to the pipeline. Every text is
/// redacted before it is kept: by the rules of the run that the span was started in, or else by
/// `redactor`.
class SpanRecordable final : public opentelemetry::sdk::trace::Recordable {
public:
    /// With observers the record can be read while it is written, for a lock a write.
    enum class Observed : bool { no, yes };

    SpanRecordable(
        const SpanLimits& limits, const trace::Redactor& redactor, Observed observed = Observed::no
    );

    void set_parent_is_remote(bool is_remote) noexcept { record_->is_parent_remote = is_remote; }

    [[nodiscard]] const SpanRecord& record() const noexcept { return *record_; }

    /// Null without observers.
    [[nodiscard]] LiveSpanPtr live() const noexcept { return live_; }

    /// The finished record; the recordable is empty afterwards.
    [[nodiscard]] SpanRecordPtr take(std::uint64_t sequence = 0) &&;

    void SetIdentity(
        const opentelemetry::trace::SpanContext& context,
        opentelemetry::trace::SpanId parent_span_id
    ) noexcept override;
    void SetAttribute(
        opentelemetry::nostd::string_view key, const opentelemetry::common::AttributeValue& value
    ) noexcept override;
    void AddEvent(
        opentelemetry::nostd::string_view name,
        opentelemetry::common::SystemTimestamp timestamp,
        const opentelemetry::common::KeyValueIterable& attributes
    ) noexcept override;
    void AddLink(
        const opentelemetry::trace::SpanContext& context,
        const opentelemetry::common::KeyValueIterable& attributes
    ) noexcept override;
    void SetStatus(
        opentelemetry::trace::StatusCode code, opentelemetry::nostd::string_view description
    ) noexcept override;
    void SetName(opentelemetry::nostd::string_view name) noexcept override;
    void SetTraceFlags(opentelemetry::trace::TraceFlags flags) noexcept override;
    void SetSpanKind(opentelemetry::trace::SpanKind kind) noexcept override;
    void SetResource(const opentelemetry::sdk::resource::Resource& resource) noexcept override;
    void SetStartTime(opentelemetry::common::SystemTimestamp start_time) noexcept override;
    void SetDuration(std::chrono::nanoseconds duration) noexcept override;
    void SetInstrumentationScope(
        const opentelemetry::sdk::instrumentationscope::InstrumentationScope& scope
    ) noexcept override;

private:
    [[nodiscard]] std::unique_lock<std::mutex> begin_write() noexcept;

    const SpanLimits& limits_;
    const trace::Redactor* redactor_;
    std::shared_ptr<LiveSpan> live_;  // owners: this and the record
    std::shared_ptr<SpanRecord> record_;
};

}  // namespace flowspan::exporting
