#include "export/log_queue.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::exporting {

struct LogQueue::State {
    State(const LogsConfig& the_config, ExportResource sender, std::unique_ptr<OtlpClient> receiver)
        : config(the_config), resource(std::move(sender)), client(std::move(receiver)) {
        counts.name = client == nullptr ? "console" : client->name();
    }

    const LogsConfig config;
    const ExportResource resource;
    const std::unique_ptr<OtlpClient>
        client;  // of the worker's thread, but for cancel; may be null

    mutable std::mutex mutex;  // guards all below
    std::vector<LogRecordPtr> pending;
    SinkCounts counts;
    std::condition_variable wake;
    bool is_closing = false;
    bool is_abandoned = false;
    bool is_finished = false;
    bool was_last_closing_attempt = false;

    /// What became of a batch.
    struct Outcome {
        std::size_t rejected = 0;
        bool is_delivered = false;
    };

    bool export_pending() {
        std::vector<LogRecordPtr> records;
        {
            const std::scoped_lock lock(mutex);
            records = std::exchange(pending, {});
        }
        bool went_well = true;
        for (std::size_t first = 0; first < records.size();) {
            const auto size = std::min(config.batch_records_max, records.size() - first);
            const auto batch = std::span<const LogRecordPtr>(records).subspan(first, size);
            const auto outcome = deliver(batch);
            went_well = went_well && outcome.is_delivered && outcome.rejected == 0;
            settle(batch, outcome);
            first += size;
        }
        return went_well;
    }

    void settle(std::span<const LogRecordPtr> batch, const Outcome& outcome) {
        std::uint64_t bytes = 0;
        for (const auto& record : batch) {
            bytes += record->byte_size();
        }
        const std::scoped_lock lock(mutex);
        if (is_finished) {
            return;  // counted as lost
        }
        counts.queued -= batch.size();
        counts.queued_bytes -= bytes;
        if (outcome.is_delivered) {
            counts.exported += batch.size() - outcome.rejected;
            counts.dropped.rejected += outcome.rejected;
        } else {
            counts.dropped.export_failed += batch.size();
        }
    }

    /// A program that ends waits no longer; a running export still has its time.
    void begin_close() {
        const std::scoped_lock lock(mutex);
        is_closing = true;
        wake.notify_all();
    }

    /// From any thread: everything should end at once.
    void abandon() {
        {
            const std::scoped_lock lock(mutex);
            is_closing = true;
            is_abandoned = true;
            wake.notify_all();
        }
        if (client != nullptr) {
            client->cancel();
        }
    }

    Outcome deliver(std::span<const LogRecordPtr> batch) {
        if (client == nullptr) {
            std::string line;
            append_logs_json(line, resource, batch);
            line += '\n';
            return {.is_delivered = ::write(STDERR_FILENO, line.data(), line.size()) >= 0};
        }
        std::string body(client->prefix_bytes(), '\0');
        if (client->protocol() == OtlpProtocol::http_json) {
            append_logs_json(body, resource, batch);
        } else {
            append_logs_protobuf(body, resource, batch);
        }
        return send(body, batch.size());
    }

    Outcome send(const std::string& body, std::size_t size) {
        for (std::size_t attempt = 1;; ++attempt) {
            const auto sent = client->send(body);
            if (sent && sent->rejected == 0) {
                return {.is_delivered = true};
            }
            {
                const std::scoped_lock lock(mutex);
                counts.failed_attempts += sent ? 0 : 1;
                counts.last_error = sent ? sent->reason : sent.error().describe();
            }
            if (sent) {
                // It took the batch but not these; they would be refused again.
                return {std::min<std::size_t>(sent->rejected, size), true};
            }
            if (!is_retryable(sent.error().code) || !wait_to_retry(attempt)) {
                return {};
            }
        }
    }

    /// False: there is to be no further attempt.
    bool wait_to_retry(std::size_t attempt) {
        constexpr std::chrono::milliseconds kAskedMax{60'000};
        constexpr unsigned kDoublingsMax = 16;
        const auto doublings = std::min<std::size_t>(attempt - 1, kDoublingsMax);
        auto delay = std::min(config.retry_delay_max, config.retry_delay_first * (1U << doublings));
        delay = std::max(delay, std::min(client->retry_after(), kAskedMax));
        std::unique_lock lock(mutex);
        if (attempt >= config.attempts_max || is_abandoned || was_last_closing_attempt) {
            return false;
        }
        wake.wait_for(lock, delay, [this] { return is_closing; });
        // Once more, at once, and then no batch waits again.
        was_last_closing_attempt = is_closing;
        return !is_abandoned;
    }
};

LogQueue::LogQueue(
    const LogsConfig& config, ExportResource resource, std::unique_ptr<OtlpClient> client
)
    : state_(std::make_shared<State>(config, std::move(resource), std::move(client))),
      worker_({
          "fs-logs",
          config.schedule_delay,
          [state = state_] { return state->export_pending(); },
          [state = state_] { state->abandon(); },
      }) {}

void LogQueue::push(const LogRecordPtr& record) {
    const auto bytes = record->byte_size();
    auto& state = *state_;
    std::unique_lock lock(state.mutex);
    auto& counts = state.counts;
    ++counts.offered;
    if (state.is_closing) {
        ++counts.dropped.shutdown;
        return;
    }
    // What is in the worker's hands counts, too: a receiver that hangs must not double the bound.
    if (counts.queued >= state.config.queue_records_max) {
        ++counts.dropped.queue_full;
        return;
    }
    if (counts.queued_bytes + bytes > state.config.queue_bytes_max) {
        ++counts.dropped.queue_bytes;
        return;
    }
    state.pending.push_back(record);
    ++counts.queued;
    counts.queued_bytes += bytes;
    const bool is_batch = state.pending.size() == state.config.batch_records_max;
    lock.unlock();
    if (is_batch) {
        worker_.hurry();
    }
}

void LogQueue::begin_close() {
    state_->begin_close();
    worker_.begin_stop();
}

void LogQueue::finish_close() {
    const std::scoped_lock lock(state_->mutex);
    state_->is_finished = true;
    auto& counts = state_->counts;
    counts.dropped.shutdown += std::exchange(counts.queued, 0);
    counts.queued_bytes = 0;
    state_->pending.clear();
}

SinkCounts LogQueue::counts() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->counts;
}

}  // namespace flowspan::exporting
