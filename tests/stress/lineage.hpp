#pragma once
// Spans that carry what their parent has to be, and the check of all of them afterwards.

#include "export/span_sink.hpp"
#include "flowspan/trace/tracer.hpp"

#include <opentelemetry/trace/scope.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::stress {

struct TraceKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    bool operator==(const TraceKey&) const = default;
};

/// A span as a parent. Handed from caller to callee by hand, never read from the current context,
/// so that it knows what the current context should be.
struct Place {
    std::int64_t task = 0;
    TraceKey trace;
    std::uint64_t span = 0;

    /// As a query of a URL, for spans that somebody else makes.
    [[nodiscard]] std::string query() const;
};

[[nodiscard]] Place place_of(std::int64_t task, trace::Span& span);

/// Writes on `span` where it should hang.
void write_expectation(trace::Span& span, const Place& parent);

/// What went on, over all threads; and the contexts that were wrong while the tasks ran.
struct Tally {
    std::atomic<std::int64_t> tasks_done = 0;
    std::atomic<std::int64_t> tasks_cancelled = 0;  ///< in their middle
    std::atomic<std::int64_t> suspensions = 0;
    std::atomic<std::int64_t> suspensions_min = INT64_MAX;  ///< of a task that was not cancelled
    std::atomic<std::int64_t> timers = 0;
    std::atomic<std::int64_t> pool_hops = 0;
    std::atomic<std::int64_t> children = 0;
    std::atomic<std::int64_t> shields = 0;
    std::atomic<std::int64_t> deadlines = 0;
    std::atomic<std::int64_t> transfers = 0;
    std::atomic<std::int64_t> transfers_done = 0;
    std::atomic<std::int64_t> transfers_failed = 0;
    std::atomic<std::int64_t> callbacks = 0;
    std::atomic<std::int64_t> thread_changes = 0;
    std::atomic<std::int64_t> wrong_contexts = 0;

    /// Counts if the current span is another one than `expected`.
    void expect_current(
        const Place& expected, std::source_location where = std::source_location::current()
    );

    /// The first few wrong contexts in words.
    [[nodiscard]] std::vector<std::string> samples() const;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> samples_;
};

/// A span that is current while it lives. Its parent is whatever is current; it carries what that
/// should have been.
class LineageSpan {
public:
    LineageSpan(const Place& parent, std::string_view name);
    /// The first span of a task, in a trace of its own.
    explicit LineageSpan(std::int64_t task);
    ~LineageSpan();
    LineageSpan(const LineageSpan&) = delete;
    LineageSpan& operator=(const LineageSpan&) = delete;

    [[nodiscard]] const Place& place() const noexcept { return place_; }

private:
    trace::SpanPtr span_;
    Place place_;
    opentelemetry::trace::Scope scope_;
};

/// What is kept of an ended span.
struct LineageRow {
    TraceKey trace;
    std::uint64_t span = 0;
    std::uint64_t parent = 0;
    TraceKey expected_trace;
    std::uint64_t expected_parent = 0;
    std::int64_t task = 0;
    bool has_expectation = false;
};

[[nodiscard]] LineageRow read_row(const exporting::SpanRecord& span);

/// Keeps a row of every span.
class LineageSink final : public exporting::SpanSink {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "lineage"; }

    [[nodiscard]] Delivery delivery() const noexcept override { return Delivery::at_span_end; }

    [[nodiscard]] Result<exporting::ExportReceipt> export_spans(exporting::SpanBatch batch
    ) override;

    [[nodiscard]] std::vector<LineageRow> take();

private:
    // One for a thread, as far as they go: spans end on all of them all the time.
    struct Shard {
        std::mutex mutex;
        std::vector<LineageRow> rows;
    };

    std::array<Shard, 16> shards_;
};

struct LineageReport {
    std::int64_t spans = 0;
    std::int64_t traces = 0;
    std::int64_t roots = 0;
    std::int64_t misparented = 0;    ///< hang elsewhere, or in another trace, than they should
    std::int64_t orphans = 0;        ///< whose parent was never recorded
    std::int64_t strangers = 0;      ///< without an expectation
    std::int64_t repeated_ids = 0;   ///< recorded twice
    std::int64_t shared_traces = 0;  ///< with spans of more than one task
    std::vector<std::string> samples;

    /// Everything that must not be.
    [[nodiscard]] std::int64_t faults() const noexcept {
        return misparented + orphans + strangers + repeated_ids + shared_traces;
    }
};

[[nodiscard]] LineageReport check_lineage(const std::vector<LineageRow>& rows);

}  // namespace flowspan::stress
