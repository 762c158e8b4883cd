#include "export/lost_processes.hpp"

#include "export/books.hpp"
#include "export/span_journal.hpp"
#include "export/stored_span.hpp"
#include "export/trace_deltas.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
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

// What the store did not know of: spans that started after its last write. It has the spans that
// were closed, as far as the journal named them; the other sinks still wait for them and for what
// was queued.
std::string settle_books(
    const store::ProcessRow& process,
    const std::string& store_path,
    std::size_t closed,
    std::uint64_t started
) {
    auto books = read_books(process.books);
    if (!books) {
        if (started == 0) {
            return process.books;
        }
        // It was killed before its first write.
        books = PipelineCounts{};
        books->sinks.resize(1);
        books->sinks[0].name = "store " + store_path;
    }
    const auto late = started - std::min(started, books->started);
    const auto missing = std::exchange(books->open, 0) + late;
    books->started += late;
    for (auto& sink : books->sinks) {
        sink.offered += missing;
        sink.queued += missing + std::exchange(sink.undecided, 0);
        if (sink.name.starts_with("store ")) {
            const auto written = std::min<std::uint64_t>(closed, sink.queued);
            sink.exported += written;
            sink.dropped.crash += sink.queued - written;
            sink.queued = 0;
        }
    }
    return write_books(*books);
}

using SpanId = std::pair<std::string, std::string>;

SpanId id_of(const SpanRecord& span) {
    return {to_hex(span.trace_id), to_hex(span.span_id)};
}

/// Closes the spans of one process, from its rows in the store and from its journal.
class Closing {
public:
    Closing(store::SpanStore& store, store::ProcessRow process, const LostJournal* journal)
        : store_(store), process_(std::move(process)), journal_(journal) {
        if (journal_ != nullptr) {
            process_.seen_ns = std::max(process_.seen_ns, journal_->process().seen_ns);
        }
    }

    /// The number of spans.
    Result<std::size_t> run() {
        FLOWSPAN_TRY(const auto rows, store_.open_spans_of(process_.id));
        std::map<SpanId, const SpanRecord*> named;
        if (journal_ != nullptr) {
            for (const auto& span : journal_->spans()) {
                named.emplace(id_of(*span), span.get());
            }
        }
        for (const auto& row : rows) {
            FLOWSPAN_TRY(const auto record, read_stored_span(row.record));
            const auto found = named.extract(SpanId{row.trace_id, row.span_id});
            close(*record, found.empty() ? nullptr : found.mapped());
            add(*record, TraceDeltas::Step::ended);
        }
        for (const auto& [id, span] : named) {
            FLOWSPAN_TRY(const auto row, store_.find_span(id.first, id.second));
            // One that is there has ended there, too: the kill came before it left the journal.
            if (!row) {
                SpanRecord record(*span);
                close(record, span);
                add(record, TraceDeltas::Step::started_and_ended);
            }
        }
        return write();
    }

private:
    // What its journal says of it may be nothing.
    void close(SpanRecord& record, const SpanRecord* last) const {
        if (last == nullptr || last->is_open) {
            mark_interrupted(record, process_);
            return;
        }
        record.is_open = false;
        record.duration_ns = last->duration_ns;
        record.sequence = last->sequence;
        record.set_status(last->status(), {});
        record.set_attribute(names::kFlowspanFactsLost, true, {});
    }

    void add(const SpanRecord& record, TraceDeltas::Step step) {
        store::SpanRow row;
        std::tie(row.trace_id, row.span_id) = id_of(record);
        row.process_id = process_.id;
        row.start_ns = record.start_ns;
        row.end_ns = std::max<std::int64_t>(1, record.end_ns());
        row.sequence = static_cast<std::int64_t>(record.sequence);
        row.record = write_stored_span(record);
        deltas_.add(record, step, row.record.size());
        if (record.has(names::kFlowspanInterrupted)) {
            deltas_.add_interrupted(record);
        }
        write_.spans.push_back(std::move(row));
    }

    Result<std::size_t> write() {
        const auto count = write_.spans.size();
        write_.traces = deltas_.take();
        process_.is_crashed = true;
        process_.books = settle_books(
            process_,
            store_.options().path.string(),
            count,
            journal_ == nullptr ? 0 : journal_->started()
        );
        write_.process = std::move(process_);
        if (auto written = store_.write(write_); !written) {
            return failure(std::move(written).error());
        }
        return count;
    }

    store::SpanStore& store_;
    store::ProcessRow process_;
    const LostJournal* journal_;  // may be null
    store::SpanWrite write_;
    TraceDeltas deltas_;
};

}  // namespace

Result<std::size_t> close_lost_processes(store::SpanStore& store) {
    auto journals = LostJournal::find_all(store.options().path);
    for (const auto& journal : journals) {
        // Killed before its first write; else its row is there already.
        if (auto added = store.add_lost_process(journal.process()); !added) {
            return failure(std::move(added).error());
        }
    }
    FLOWSPAN_TRY(const auto lost, store.find_lost_processes());
    std::size_t closed = 0;
    for (const auto& process : lost) {
        FLOWSPAN_TRY(auto taken, store.take_over(process.id));
        if (!taken) {
            continue;
        }
        const auto journal = std::ranges::find(journals, process.id, [](const LostJournal& each) {
            return each.process().id;
        });
        const bool is_ours = journal != journals.end();
        if (!is_ours && LostJournal::is_held(store.options().path, process.id)) {
            // Another program is at it.
            store.release(process.id);
            continue;
        }
        const auto count = Closing(store, *std::move(taken), is_ours ? &*journal : nullptr).run();
        store.release(process.id);
        if (!count) {
            return failure(count.error());
        }
        closed += *count;
    }
    // They belong to processes that are closed by now.
    std::ranges::for_each(journals, &LostJournal::discard);
    return closed;
}

Result<std::size_t> close_lost_processes(
    store::SpanStore& reader, const std::filesystem::path& path
) {
    FLOWSPAN_TRY(const auto lost, reader.find_lost_processes());
    if (lost.empty() && LostJournal::find_all(path).empty()) {
        return 0;
    }
    FLOWSPAN_TRY(const auto writer, store::SpanStore::open({.path = path}));
    return close_lost_processes(*writer);
}

Result<void> make_store_of_lost_processes(const std::filesystem::path& path) {
    std::error_code code;
    if (std::filesystem::exists(path, code) || LostJournal::find_all(path).empty()) {
        return {};
    }
    FLOWSPAN_TRY(const auto writer, store::SpanStore::open({.path = path}));
    FLOWSPAN_TRY(const auto closed, close_lost_processes(*writer));
    static_cast<void>(closed);
    return {};
}

}  // namespace flowspan::exporting
