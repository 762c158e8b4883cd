#include "export/store_sink.hpp"

#include "export/books.hpp"
#include "export/lost_processes.hpp"
#include "export/memory_sink.hpp"
#include "export/shaped_sink.hpp"
#include "export/span_journal.hpp"
#include "export/stored_span.hpp"
#include "export/trace_deltas.hpp"
#include "flowspan/export/pipeline_counts.hpp"
#include "flowspan/trace/names.hpp"
#include "store/span_store.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace flowspan::exporting {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Step = TraceDeltas::Step;

// Starts that wait for the worker, and spans whose changes are followed. Spans beyond are stored
// at their end.
constexpr std::size_t kFollowedMax = 65536;
// How often running spans are looked at.
constexpr milliseconds kPollDelay{200};
// While spans run: the time that a crash's spans end at is not older.
constexpr std::chrono::seconds kSeenInterval{1};
constexpr std::chrono::minutes kPruneInterval{5};
// 48 bits: also a position in the lock file.
constexpr std::uint64_t kProcessIdMask = (1ULL << 48U) - 1;

struct SpanKey {
    std::uint64_t trace = 0;  // half of the id is enough beside the span's
    std::uint64_t span = 0;

    bool operator==(const SpanKey&) const = default;
};

struct SpanKeyHash {
    std::size_t operator()(const SpanKey& key) const noexcept { return key.trace ^ key.span; }
};

SpanKey key_of(
    const opentelemetry::trace::TraceId& trace_id, const opentelemetry::trace::SpanId& span_id
) noexcept {
    SpanKey key;
    std::memcpy(&key.trace, trace_id.Id().data() + sizeof(key.trace), sizeof(key.trace));
    std::memcpy(&key.span, span_id.Id().data(), sizeof(key.span));
    return key;
}

class StoreSink final : public SpanSink, public SpanObserver {
public:
    StoreSink(StoreConfig config, const Clock& clock)
        : config_(std::move(config)),
          clock_(clock),
          name_("store " + config_.path),
          process_id_(static_cast<std::int64_t>(real_random().next() & kProcessIdMask)),
          started_ns_(now_ns()),
          pruned_ns_(started_ns_) {}

    [[nodiscard]] std::string_view name() const noexcept override { return name_; }

    [[nodiscard]] SpanObserver* find_observer() noexcept override { return this; }

    [[nodiscard]] bool wants_all_spans() const noexcept override { return true; }

    [[nodiscard]] milliseconds batch_delay() const noexcept override { return config_.delay; }

    [[nodiscard]] milliseconds poll_delay() const noexcept override {
        return open_.empty() ? milliseconds(0) : kPollDelay;
    }

    void begin(const ExportResource& resource) override {
        resource_ = write_stored_resource(resource);
    }

    // Before it is there, spans wait in `started_`.
    void begin_work() override {
        auto journal = SpanJournal::make(config_.path, own_row());
        if (journal == nullptr) {
            return;
        }
        const std::scoped_lock lock(mutex_);
        journal_ = std::move(journal);
        journal_->set_started(started_count_);
        for (auto& started : started_) {
            if (const auto live = started.live.lock()) {
                note_start(*live, started);
            }
        }
    }

    void on_start(const LiveSpanPtr& span) override {
        const std::scoped_lock lock(mutex_);
        ++started_count_;
        if (started_.size() < kFollowedMax) {
            note_start(*span, started_.emplace_back(span));
        }
        if (journal_ != nullptr) {
            journal_->set_started(started_count_);
        }
    }

    // Who has a slot knows the journal: no lock is needed.
    void on_end(const SpanRecord& span) override {
        if (span.journal_slot != 0) {
            journal_->end(span.journal_slot, span);
        }
    }

    void on_judged(const opentelemetry::trace::TraceId& trace_id, std::string_view judgement)
        override {
        const std::scoped_lock lock(mutex_);
        if (judgements_.size() < kFollowedMax) {
            judgements_.insert_or_assign(to_hex(trace_id), std::string(judgement));
        }
    }

    void set_books(const std::function<PipelineCounts()>& books) override {
        const std::scoped_lock lock(books_mutex_);
        books_ = books;
    }

    [[nodiscard]] SpanRecordPtr prepare(const SpanRecordPtr& span) override {
        return without_content(span, modes_for(config_.content, *span));
    }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        if (auto written = write(batch, Last::no); !written) {
            return failure(std::move(written).error());
        }
        return ExportReceipt{};
    }

    [[nodiscard]] Result<void> poll() override { return write({}, Last::no); }

    [[nodiscard]] Result<void> close() override {
        Result<void> closed;
        if (store_ != nullptr || has_seen_spans_ || has_started()) {
            closed = write({}, Last::yes);
            store_.reset();
        }
        const std::scoped_lock lock(mutex_);
        if (journal_ != nullptr) {
            // Also after a failure, which is told: only what a kill leaves needs it.
            journal_->discard();
        }
        return closed;
    }

private:
    enum class Last : bool { no, yes };

    // A span that runs and stands in the file.
    struct OpenSpan {
        opentelemetry::trace::TraceId trace_id;
        opentelemetry::trace::SpanId span_id;
        std::weak_ptr<const LiveSpan> live;
        std::uint64_t version = 0;
        std::uint32_t journal_slot = 0;
    };

    // A span that started and does not stand in the file yet.
    struct StartedSpan {
        explicit StartedSpan(const LiveSpanPtr& span) : live(span) {}

        std::weak_ptr<const LiveSpan> live;
        opentelemetry::trace::SpanId span_id;  // with a slot
        std::uint32_t journal_slot = 0;
    };

    struct Pending {
        store::SpanWrite write;
        TraceDeltas deltas;
        std::vector<OpenSpan> opened;
        std::vector<std::pair<SpanKey, std::uint64_t>> changed;  // with the version written
        std::vector<SpanKey> vanished;
    };

    // Under the lock.
    void note_start(const LiveSpan& live, StartedSpan& started) {
        if (journal_ != nullptr) {
            live.assign_journal_slot([this, &started](const SpanRecord& span) {
                started.span_id = span.span_id;
                started.journal_slot = journal_->add(span);
                return started.journal_slot;
            });
        }
    }

    // Under the lock.
    void leave_journal(
        std::uint32_t journal_slot, const opentelemetry::trace::SpanId& span_id
    ) noexcept {
        if (journal_slot != 0) {
            journal_->remove(journal_slot, span_id);
        }
    }

    [[nodiscard]] store::ProcessRow own_row() const {
        store::ProcessRow process;
        process.id = process_id_;
        process.pid = ::getpid();
        process.resource = resource_;
        process.started_ns = started_ns_;
        process.seen_ns = started_ns_;
        return process;
    }

    // Null once the span has ended.
    [[nodiscard]] SpanRecordPtr snapshot_of(const LiveSpan& live) const {
        auto snapshot = live.snapshot();
        if (!snapshot) {
            return nullptr;
        }
        const auto span = std::make_shared<const SpanRecord>(*std::move(snapshot));
        return without_content(span, modes_for(config_.content, *span));
    }

    [[nodiscard]] std::int64_t now_ns() const noexcept {
        return std::chrono::duration_cast<nanoseconds>(clock_.system_now().time_since_epoch())
            .count();
    }

    Result<void> open_store() {
        if (store_ != nullptr) {
            return {};
        }
        FLOWSPAN_TRY(
            auto store,
            store::SpanStore::open(
                {.path = config_.path, .age_max = config_.age_max, .bytes_max = config_.bytes_max}
            )
        );
        // What others left can wait for the next start; our own spans cannot.
        if (const auto closed = close_lost_processes(*store); !closed) {
            spdlog::warn("what crashed programs left stays open: {}", closed.error().describe());
        }
        if (auto begun = store->begin_process(own_row()); !begun) {
            return begun;
        }
        store_ = std::move(store);
        return {};
    }

    // One transaction. What it holds is forgotten only when it has succeeded, so that a failed one
    // can be tried again.
    Result<void> write(SpanBatch batch, Last last) {
        has_seen_spans_ = true;
        if (auto opened = open_store(); !opened) {
            return opened;
        }
        take_started();
        Pending pending;
        add_ended(batch, pending);
        if (last == Last::yes) {
            add_left_open(pending);
        } else {
            add_started(pending);
            add_changed(batch, pending);
        }
        const auto now = now_ns();
        const bool is_due = now - seen_ns_ >= nanoseconds(kSeenInterval).count();
        add_judgements(pending);
        if (pending.write.spans.empty() && pending.write.judgements.empty() && last == Last::no &&
            !is_due) {
            return {};
        }
        pending.write.traces = pending.deltas.take();
        pending.write.process = process_row(now, batch.size(), last);
        if (auto written = store_->write(pending.write); !written) {
            return written;
        }
        seen_ns_ = now;
        settle(batch, pending);
        return prune(now, last);
    }

    void add_row(const SpanRecord& span, Step step, Pending& pending) const {
        store::SpanRow row;
        row.trace_id = to_hex(span.trace_id);
        row.span_id = to_hex(span.span_id);
        row.process_id = process_id_;
        row.start_ns = span.start_ns;
        // A span without a duration ended all the same.
        row.end_ns = span.is_open ? 0 : std::max<std::int64_t>(1, span.end_ns());
        row.sequence = static_cast<std::int64_t>(span.sequence);
        row.record = write_stored_span(span);
        pending.deltas.add(span, step, row.record.size());
        pending.write.spans.push_back(std::move(row));
    }

    [[nodiscard]] bool has_started() {
        const std::scoped_lock lock(mutex_);
        return !started_.empty();
    }

    void take_started() {
        const std::scoped_lock lock(mutex_);
        // Left over if the file could not be written.
        std::erase_if(fresh_, [this](const StartedSpan& started) {
            const bool is_gone = started.live.expired();
            if (is_gone) {
                leave_journal(started.journal_slot, started.span_id);
            }
            return is_gone;
        });
        fresh_.insert(fresh_.end(), started_.begin(), started_.end());
        started_.clear();
    }

    void add_ended(SpanBatch batch, Pending& pending) const {
        for (const auto& span : batch) {
            const bool is_there = open_.contains(key_of(span->trace_id, span->span_id));
            add_row(*span, is_there ? Step::ended : Step::started_and_ended, pending);
        }
    }

    void add_started(Pending& pending) const {
        for (const auto& started : fresh_) {
            const auto live = started.live.lock();
            if (live == nullptr || open_.size() + pending.opened.size() >= kFollowedMax) {
                continue;
            }
            const auto version = live->version();
            const auto snapshot = snapshot_of(*live);
            // One that has ended comes, or came, with a batch.
            if (snapshot) {
                add_row(*snapshot, Step::started, pending);
                pending.opened.push_back(
                    {snapshot->trace_id,
                     snapshot->span_id,
                     started.live,
                     version,
                     snapshot->journal_slot}
                );
            }
        }
    }

    void add_changed(SpanBatch batch, Pending& pending) {
        std::unordered_set<SpanKey, SpanKeyHash> ended;
        for (const auto& span : batch) {
            ended.insert(key_of(span->trace_id, span->span_id));
        }
        for (const auto& [key, open] : open_) {
            const auto live = open.live.lock();
            if (live == nullptr) {
                if (!ended.contains(key)) {
                    add_vanished(open, pending);
                    pending.vanished.push_back(key);
                }
                continue;
            }
            const auto version = live->version();
            if (version == open.version) {
                continue;
            }
            if (const auto snapshot = snapshot_of(*live)) {
                add_row(*snapshot, Step::changed, pending);
                pending.changed.emplace_back(key, version);
            }
        }
    }

    // Nobody ended them, and now nobody can: their rows must not stay open for ever.
    void add_left_open(Pending& pending) {
        const auto close = [this, &pending](const std::weak_ptr<const LiveSpan>& weak, Step step) {
            const auto live = weak.lock();
            const auto snapshot = live == nullptr ? nullptr : snapshot_of(*live);
            if (snapshot != nullptr) {
                SpanRecord left(*snapshot);
                end_without_end(left, "the program ended first");
                add_row(left, step, pending);
            }
            return snapshot != nullptr;
        };
        for (const auto& [key, open] : open_) {
            if (!close(open.live, Step::ended)) {
                add_vanished(open, pending);
            }
        }
        for (const auto& started : fresh_) {
            close(started.live, Step::started_and_ended);
        }
    }

    void end_without_end(SpanRecord& span, std::string_view reason) const {
        span.is_open = false;
        span.duration_ns = now_ns() - span.start_ns;
        span.set_attribute(trace::names::kFlowspanEndReason, reason, {});
    }

    // Its end did not come through the queue, which counts it as dropped; the row must not stay
    // open for ever.
    void add_vanished(const OpenSpan& open, Pending& pending) {
        const auto row = store_->find_span(to_hex(open.trace_id), to_hex(open.span_id));
        if (!row || !*row) {
            return;
        }
        const auto record = read_stored_span((*row)->record);
        if (record) {
            end_without_end(**record, "its end was dropped");
            add_row(**record, Step::ended, pending);
        }
    }

    store::ProcessRow process_row(std::int64_t now, std::size_t batch_size, Last last) {
        store::ProcessRow process;
        process.id = process_id_;
        process.seen_ns = now;
        process.ended_ns = last == Last::yes ? now : 0;
        const std::scoped_lock lock(books_mutex_);
        if (books_) {
            auto counts = books_();
            // What only this process reads is no destination.
            std::erase_if(counts.sinks, [](const auto& sink) { return sink.name == kMemoryName; });
            // This transaction brings them to the file together with the books.
            for (auto& sink : counts.sinks) {
                if (sink.name == name_) {
                    sink.exported += batch_size;
                    sink.queued -= batch_size;
                    sink.queued_bytes = 0;
                }
            }
            process.books = write_books(counts);
        }
        return process;
    }

    // A judgement comes after the spans that led to it, so their trace is there.
    void add_judgements(Pending& pending) {
        {
            const std::scoped_lock lock(mutex_);
            for (auto& [id, judgement] : std::exchange(judgements_, {})) {
                fresh_judgements_.insert_or_assign(id, std::move(judgement));
            }
        }
        for (const auto& [id, judgement] : fresh_judgements_) {
            pending.write.judgements.push_back({id, judgement});
        }
    }

    // What the file has now needs the journal no more, nor does what was dropped on its way.
    void clear_journal(SpanBatch batch, const Pending& pending) {
        const std::scoped_lock lock(mutex_);
        for (const auto& span : batch) {
            leave_journal(span->journal_slot, span->span_id);
        }
        for (const auto& key : pending.vanished) {
            const auto& open = open_[key];
            leave_journal(open.journal_slot, open.span_id);
        }
        for (const auto& started : fresh_) {
            if (started.live.expired()) {
                leave_journal(started.journal_slot, started.span_id);
            }
        }
    }

    void settle(SpanBatch batch, Pending& pending) {
        clear_journal(batch, pending);
        fresh_.clear();
        fresh_judgements_.clear();
        for (const auto& [key, version] : pending.changed) {
            open_[key].version = version;
        }
        for (auto& open : pending.opened) {
            open_.insert_or_assign(key_of(open.trace_id, open.span_id), std::move(open));
        }
        for (const auto& span : batch) {
            open_.erase(key_of(span->trace_id, span->span_id));
        }
        for (const auto& key : pending.vanished) {
            open_.erase(key);
        }
    }

    Result<void> prune(std::int64_t now, Last last) {
        if (last == Last::no && now - pruned_ns_ < nanoseconds(kPruneInterval).count()) {
            return {};
        }
        pruned_ns_ = now;
        const auto removed = store_->prune(now);
        return removed ? Result<void>() : Result<void>(failure(removed.error()));
    }

    const StoreConfig config_;
    const Clock& clock_;
    const std::string name_;
    const std::int64_t process_id_;
    const std::int64_t started_ns_;

    std::mutex mutex_;  // guards all up to books_mutex_
    std::vector<StartedSpan> started_;
    std::uint64_t started_count_ = 0;
    std::unique_ptr<SpanJournal> journal_;  // null until the worker is at work, or if it cannot be
    std::unordered_map<std::string, std::string> judgements_;  // by trace id
    std::mutex books_mutex_;  // guards books_, also while they are read
    std::function<PipelineCounts()> books_;

    // The worker's own.
    std::string resource_;
    std::unique_ptr<store::SpanStore> store_;
    std::vector<StartedSpan> fresh_;
    std::unordered_map<std::string, std::string> fresh_judgements_;  // not in the file yet
    std::unordered_map<SpanKey, OpenSpan, SpanKeyHash> open_;
    std::int64_t seen_ns_ = 0;
    std::int64_t pruned_ns_;
    bool has_seen_spans_ = false;
};

}  // namespace

std::shared_ptr<SpanSink> make_store_sink(StoreConfig config, const Clock& clock) {
    return std::make_shared<StoreSink>(std::move(config), clock);
}

}  // namespace flowspan::exporting
