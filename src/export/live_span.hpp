#pragma once
// Spans while they run: what observers of this process see of them.

#include "export/span_record.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace flowspan::exporting {

struct PipelineCounts;

/// A span that runs, or ran. Its writer and its observers may be on different threads.
class LiveSpan {
public:
    /// A copy of what is known now, with `is_open` set; nothing once the span has ended.
    [[nodiscard]] std::optional<SpanRecord> snapshot() const {
        const std::scoped_lock lock(mutex_);
        if (has_ended_) {
            return std::nullopt;
        }
        std::optional<SpanRecord> copy(record_);
        copy->is_open = true;
        copy->journal_slot = journal_slot_;
        return copy;
    }

    /// Keeps what `add(record)` gives for the span's end, unless it has ended.
    template <class Add>
    void assign_journal_slot(Add add) const {
        const std::scoped_lock lock(mutex_);
        if (!has_ended_) {
            journal_slot_ = add(record_);
        }
    }

    /// Grows with each write.
    [[nodiscard]] std::uint64_t version() const {
        const std::scoped_lock lock(mutex_);
        return version_;
    }

    [[nodiscard]] bool has_ended() const {
        const std::scoped_lock lock(mutex_);
        return has_ended_;
    }

private:
    friend class SpanRecordable;

    mutable std::mutex mutex_;  // guards all below until the span has ended
    SpanRecord record_;
    std::uint64_t version_ = 1;
    bool has_ended_ = false;
    mutable std::uint32_t journal_slot_ = 0;
};

/// Whoever keeps one beyond the call keeps the record's memory too; a weak one does not.
using LiveSpanPtr = std::shared_ptr<const LiveSpan>;

/// Hears of every recorded span of the process when it starts. Ends come to the SpanSink that the
/// observer belongs to, or show on the LiveSpan.
class SpanObserver {
public:
    virtual ~SpanObserver() = default;

    /// On the thread that starts the span, which waits: must be thread-safe and quick.
    virtual void on_start(const LiveSpanPtr& span) = 0;

    /// On the thread that ends the span, before any sink gets it.
    virtual void on_end(const SpanRecord& /*span*/) {}

    /// The sampling of runs judged a trace: `kept: failed`, `dropped: ratio`; `undecided` when its
    /// first span starts. Not called without such sampling.
    virtual void on_judged(
        const opentelemetry::trace::TraceId& /*trace_id*/, std::string_view /*judgement*/
    ) {}

    /// Where to ask for the books; called with nothing before they go away.
    virtual void set_books(const std::function<PipelineCounts()>& /*books*/) {}
};

}  // namespace flowspan::exporting
