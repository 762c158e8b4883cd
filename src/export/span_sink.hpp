#pragma once
// Where spans go: one interface for receivers, files, memory.

#include "export/span_record.hpp"
#include "flowspan/base/result.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

/// Who sends: the same for all spans of a provider.
struct ExportResource {
    std::vector<ResourceAttribute> attributes;
    std::string schema_url;
};

/// What a sink did with a batch it accepted.
struct ExportReceipt {
    std::uint64_t rejected = 0;  ///< spans the receiver refused for good
    std::string reason;
};

class SpanObserver;

/// A destination. Unless `delivery` says otherwise, all calls but `cancel` and `name` come from one
/// worker thread.
class SpanSink {
public:
    enum class Delivery : std::uint8_t {
        queued,       ///< batches, from the sink's own worker
        at_span_end,  ///< single spans, on the thread that ends the span; must be thread-safe,
                      ///< quick
    };

    SpanSink() = default;
    virtual ~SpanSink() = default;
    SpanSink(const SpanSink&) = delete;
    SpanSink& operator=(const SpanSink&) = delete;

    /// For messages and books; without credentials. Constant.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    [[nodiscard]] virtual Delivery delivery() const noexcept { return Delivery::queued; }

    /// Called once, before anything else.
    virtual void begin(const ExportResource& /*resource*/) {}

    /// Called once on the worker, before any other call there.
    virtual void begin_work() {}

    /// The form in which the sink wants a span, if it is not the recorded one: called once for each
    /// span before it is handed over, from where `export_spans` is called.
    [[nodiscard]] virtual SpanRecordPtr prepare(const SpanRecordPtr& span) { return span; }

    /// Blocks until the batch is delivered. `timeout`, `unavailable` and `rate_limited` failures
    /// are tried again, others are final.
    [[nodiscard]] virtual Result<ExportReceipt> export_spans(SpanBatch batch) = 0;

    /// After a failure: how long the receiver asked to wait; 0 if it did not say.
    [[nodiscard]] virtual std::chrono::milliseconds retry_after() const noexcept { return {}; }

    /// After a failure: how many of the batch's spans have arrived nevertheless.
    [[nodiscard]] virtual std::size_t arrived_of_failed() const noexcept { return 0; }

    /// Not null: it hears of spans when they start, and `poll` is called while it asks for it.
    [[nodiscard]] virtual SpanObserver* find_observer() noexcept { return nullptr; }

    /// True: gets all recorded spans, whatever the sampling of runs says.
    [[nodiscard]] virtual bool wants_all_spans() const noexcept { return false; }

    /// For sinks that observe: how long after the last call to call `poll` again although no span
    /// ended; 0: not before one starts. The failure of a poll is only noted.
    [[nodiscard]] virtual std::chrono::milliseconds poll_delay() const noexcept { return {}; }

    [[nodiscard]] virtual Result<void> poll() { return {}; }

    /// Replaces the configuration's schedule_delay; 0: it holds.
    [[nodiscard]] virtual std::chrono::milliseconds batch_delay() const noexcept { return {}; }

    /// Called once after the last batch.
    [[nodiscard]] virtual Result<void> close() { return {}; }

    /// From any thread: whatever call is running should fail soon, and so should all later ones.
    virtual void cancel() noexcept {}
};

}  // namespace flowspan::exporting
