#include "export/redelivery.hpp"

#include "export/books.hpp"
#include "export/lost_processes.hpp"
#include "export/sink_queue.hpp"
#include "export/stored_span.hpp"
#include "store/span_store.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

namespace flowspan::exporting {

namespace {

using std::chrono::milliseconds;

// How long one receiver may take for one process's spans.
constexpr std::chrono::seconds kPatience{30};
constexpr milliseconds kStep{50};

SteadyTime now() noexcept {
    return real_clock().steady_now();
}

}  // namespace

struct Redelivery::State {
    const std::string store_path;
    const BatchConfig batch;
    const MakeSinks make_sinks;

    std::mutex mutex;  // guards all below
    std::condition_variable settled;
    SteadyTime deadline = SteadyTime::max();
    bool is_done = false;
};

class Redelivery::Worker {
public:
    explicit Worker(State& state) : state_(state) {}

    void run() {
        if (auto done = redeliver(); !done) {
            spdlog::warn(
                "what crashed programs left was not sent on: {}", done.error().full_text()
            );
        }
        const std::scoped_lock lock(state_.mutex);
        state_.is_done = true;
        state_.settled.notify_all();
    }

private:
    Result<void> redeliver() {
        FLOWSPAN_TRY(store_, store::SpanStore::open({.path = state_.store_path}));
        FLOWSPAN_TRY(const auto closed, close_lost_processes(*store_));
        static_cast<void>(closed);
        FLOWSPAN_TRY(const auto crashed, store_->list_crashed_processes());
        for (const auto& process : crashed) {
            const auto books = read_books(process.books);
            const bool waits = books && std::ranges::any_of(books->sinks, &is_waiting);
            if (!waits || is_late()) {
                continue;
            }
            FLOWSPAN_TRY(const auto taken, store_->take_over_closed(process.id));
            if (taken) {
                auto sent = send(*taken);
                store_->release(process.id);
                if (!sent) {
                    return sent;
                }
            }
        }
        return {};
    }

    static bool is_waiting(const SinkCounts& sink) { return sink.queued > 0; }

    [[nodiscard]] bool is_late() {
        const std::scoped_lock lock(state_.mutex);
        return now() >= state_.deadline;
    }

    Result<void> send(store::ProcessRow process) {
        FLOWSPAN_TRY(auto books, read_books(process.books));
        bool has_settled = false;
        for (const auto& sink : state_.make_sinks()) {
            const auto entry = std::ranges::find(books.sinks, sink->name(), &SinkCounts::name);
            if (entry == books.sinks.end() || !is_waiting(*entry)) {
                continue;
            }
            FLOWSPAN_TRY(const auto spans, unsent_spans(process.id, entry->settled_through));
            FLOWSPAN_TRY(const auto resource, read_stored_resource(process.resource));
            if (deliver(sink, resource, spans)) {
                const auto arrived = std::min<std::uint64_t>(spans.size(), entry->queued);
                entry->exported += arrived;
                entry->dropped.crash += entry->queued - arrived;
                entry->queued = 0;
                entry->queued_bytes = 0;
                has_settled = true;
            }
        }
        if (!has_settled) {
            return {};
        }
        store::SpanWrite write;
        process.books = write_books(books);
        write.process = std::move(process);
        return store_->write(write);
    }

    Result<std::vector<SpanRecordPtr>> unsent_spans(
        std::int64_t process_id, std::uint64_t settled_through
    ) {
        FLOWSPAN_TRY(const auto rows, store_->ended_spans_of(process_id));
        std::map<std::string, std::string> judgements;
        std::vector<SpanRecordPtr> spans;
        for (const auto& row : rows) {
            const auto [judgement, is_new] = judgements.try_emplace(row.trace_id);
            if (is_new) {
                FLOWSPAN_TRY(const auto traces, store_->find_traces(row.trace_id, 1));
                judgement->second = traces.empty() ? "" : traces.front().sampling;
            }
            // A run that was broken off before it was judged counts as failed; none of its spans
            // was sent yet.
            const bool is_undecided = judgement->second == "undecided";
            const bool is_settled = static_cast<std::uint64_t>(row.sequence) <= settled_through;
            if (judgement->second.starts_with("dropped") || (is_settled && !is_undecided)) {
                continue;
            }
            FLOWSPAN_TRY(auto span, read_stored_span(row.record));
            if (span->is_sampled()) {
                spans.push_back(std::move(span));
            }
        }
        return spans;
    }

    // True if the receiver has all of them.
    bool deliver(
        const std::shared_ptr<SpanSink>& sink,
        const ExportResource& resource,
        const std::vector<SpanRecordPtr>& spans
    ) {
        sink->begin(resource);
        auto config = state_.batch;
        config.schedule_delay = milliseconds(0);
        SinkQueue queue(sink, config);
        const auto patience = now() + kPatience;
        std::size_t next = 0;
        bool is_flushed = spans.empty();
        while (!is_flushed && now() < patience && !is_late()) {
            // No more than the queue holds at once.
            for (; next < spans.size() && queue.counts().queued < config.batch_spans_max; ++next) {
                queue.push(spans[next]);
            }
            const bool is_settled = queue.wait_flushed(queue.begin_flush(), now() + kStep);
            is_flushed = is_settled && next == spans.size();
        }
        const auto end = now() + (is_flushed ? kPatience : std::chrono::seconds(0));
        queue.begin_close(end);
        queue.wait_closed(end);
        return queue.counts().exported == spans.size();
    }

    State& state_;
    std::unique_ptr<store::SpanStore> store_;
};

Redelivery::Redelivery(std::string store_path, BatchConfig batch, MakeSinks make_sinks)
    : state_(std::make_shared<State>(std::move(store_path), batch, std::move(make_sinks))) {
    // Signals belong to the threads of the program.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([state = state_] { Worker(*state).run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "fs-redeliver");
}

Redelivery::~Redelivery() {
    finish(now());
}

void Redelivery::finish(SteadyTime deadline) {
    if (!thread_.joinable()) {
        return;
    }
    {
        std::unique_lock lock(state_->mutex);
        state_->deadline = std::min(state_->deadline, deadline);
    }
    // Its steps are short: it notices the deadline, and a sink that hangs is cancelled by its
    // queue.
    thread_.join();
}

}  // namespace flowspan::exporting
