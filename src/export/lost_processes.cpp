#include "export/lost_processes.hpp"

#include "export/books.hpp"
#include "export/stored_span.hpp"
#include "export/trace_deltas.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace flowspan::exporting {

namespace {

namespace names = trace::names;

constexpr std::string_view kReason = "interrupted: the process went away";

// The latest time at which the span is known to have run.
std::int64_t last_known_ns(const SpanRecord& span, const store::ProcessRow& process) {
    auto last = std::max(process.seen_ns, span.start_ns);
    for (std::size_t i = 0; i < span.event_count(); ++i) {
        last = std::max(last, span.event(i).time_ns);
    }
    return last;
}

void mark_interrupted(SpanRecord& span, const store::ProcessRow& process) {
    const auto end_ns = last_known_ns(span, process);
    span.is_open = false;
    span.duration_ns = end_ns - span.start_ns;
    span.sequence = kInterruptedSequence;
    // What was known before stays: a failure that was written already says more.
    if (span.status() != opentelemetry::trace::StatusCode::kError) {
        span.set_status(opentelemetry::trace::StatusCode::kError, kReason);
        span.set_attribute(names::kErrorType, std::string_view("interrupted"), {});
    }
    span.set_attribute(names::kFlowspanInterrupted, true, {});
    span.begin_event(names::kFlowspanInterruptedEvent, end_ns, {});
}

// The store got the spans that were closed; the other sinks still wait for them and for what was
// queued.
std::string settle_books(std::string_view text, std::size_t interrupted) {
    auto books = read_books(text);
    if (!books) {
        return std::string(text);
    }
    const auto open = std::exchange(books->open, 0);
    for (auto& sink : books->sinks) {
        sink.offered += open;
        sink.queued += open + std::exchange(sink.undecided, 0);
        if (sink.name.starts_with("store ")) {
            const auto closed = std::min<std::uint64_t>(interrupted, sink.queued);
            sink.exported += closed;
            sink.dropped.crash += sink.queued - closed;
            sink.queued = 0;
        }
    }
    return write_books(*books);
}

Result<std::size_t> close_process(store::SpanStore& store, store::ProcessRow process) {
    FLOWSPAN_TRY(const auto rows, store.open_spans_of(process.id));
    store::SpanWrite write;
    TraceDeltas deltas;
    for (const auto& row : rows) {
        FLOWSPAN_TRY(const auto record, read_stored_span(row.record));
        mark_interrupted(*record, process);
        deltas.add(*record, TraceDeltas::Step::ended, 0);
        deltas.add_interrupted(*record);
        auto closed = row;
        closed.end_ns = record->end_ns();
        closed.sequence = kInterruptedSequence;
        closed.record = write_stored_span(*record);
        write.spans.push_back(std::move(closed));
    }
    write.traces = deltas.take();
    process.is_crashed = true;
    process.books = settle_books(process.books, rows.size());
    write.process = std::move(process);
    if (auto written = store.write(write); !written) {
        return failure(std::move(written).error());
    }
    return rows.size();
}

}  // namespace

Result<std::size_t> close_lost_processes(store::SpanStore& store) {
    FLOWSPAN_TRY(const auto lost, store.find_lost_processes());
    std::size_t closed = 0;
    for (const auto& process : lost) {
        FLOWSPAN_TRY(auto taken, store.take_over(process.id));
        if (!taken) {
            continue;
        }
        const auto count = close_process(store, *std::move(taken));
        store.release(process.id);
        if (!count) {
            return failure(count.error());
        }
        closed += *count;
    }
    return closed;
}

Result<std::size_t> close_lost_processes(
    store::SpanStore& reader, const std::filesystem::path& path
) {
    FLOWSPAN_TRY(const auto lost, reader.find_lost_processes());
    if (lost.empty()) {
        return 0;
    }
    FLOWSPAN_TRY(const auto writer, store::SpanStore::open({.path = path}));
    return close_lost_processes(*writer);
}

}  // namespace flowspan::exporting
