#include "export/log_pipeline.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace flowspan::exporting {

namespace {

struct CopyValue {
    std::variant<std::string, std::int64_t, double, bool> operator()(std::string_view text) const {
        return to_valid_utf8(text);
    }

    template <class T>
    std::variant<std::string, std::int64_t, double, bool> operator()(const T& value) const {
        return value;
    }
};

LogRecord copy(const trace::LogEvent& event) {
    LogRecord record;
    record.name = event.name;
    record.severity = event.severity;
    record.body = to_valid_utf8(event.body);
    for (const auto& attribute : event.attributes) {
        record.attributes.emplace_back(attribute.key, std::visit(CopyValue{}, attribute.value));
    }
    record.span = event.span;
    record.time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                         real_clock().system_now().time_since_epoch()
    )
                         .count();
    return record;
}

}  // namespace

struct LogPipeline::State {
    State(
        const LogsConfig& the_config,
        ExportResource sender,
        std::vector<std::unique_ptr<OtlpClient>> receivers
    )
        : config(the_config), resource(std::move(sender)), clients(std::move(receivers)) {}

    const LogsConfig config;
    const ExportResource resource;
    // Of the worker's thread, but for cancel.
    const std::vector<std::unique_ptr<OtlpClient>> clients;

    mutable std::mutex mutex;  // guards all below
    std::vector<LogRecord> pending;
    std::size_t pending_bytes = 0;
    LogCounts counts;
    std::condition_variable wake;
    bool is_closing = false;
    bool is_abandoned = false;
    bool was_last_closing_attempt = false;

    bool export_pending() {
        std::vector<LogRecord> records;
        {
            const std::scoped_lock lock(mutex);
            records = std::exchange(pending, {});
            pending_bytes = 0;
        }
        bool went_well = true;
        for (std::size_t first = 0; first < records.size();) {
            const auto size = std::min(config.batch_records_max, records.size() - first);
            const auto lost = export_batch(std::span(records).subspan(first, size));
            first += size;
            went_well = went_well && lost == 0;
            const std::scoped_lock lock(mutex);
            counts.queued -= size;
            counts.exported += size - lost;
            counts.dropped += lost;
        }
        return went_well;
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
        for (const auto& client : clients) {
            client->cancel();
        }
    }

    /// How many of the records did not reach all receivers.
    std::size_t export_batch(std::span<const LogRecord> batch) {
        std::size_t lost = 0;
        for (const auto& client : clients) {
            std::string body(client->prefix_bytes(), '\0');
            if (client->protocol() == OtlpProtocol::http_json) {
                append_logs_json(body, resource, batch);
            } else {
                append_logs_protobuf(body, resource, batch);
            }
            lost = std::max(lost, deliver(*client, body, batch.size()));
        }
        if (config.is_console) {
            std::string line;
            append_logs_json(line, resource, batch);
            line += '\n';
            lost = ::write(STDERR_FILENO, line.data(), line.size()) < 0 ? batch.size() : lost;
        }
        return lost;
    }

    std::size_t deliver(OtlpClient& client, const std::string& body, std::size_t size) {
        for (std::size_t attempt = 1;; ++attempt) {
            const auto sent = client.send(body);
            if (sent && sent->rejected == 0) {
                return 0;
            }
            const auto reason = sent ? sent->reason : sent.error().describe();
            {
                const std::scoped_lock lock(mutex);
                counts.failed_attempts += sent ? 0 : 1;
                counts.last_error = fmt::format("{}: {}", client.name(), reason);
            }
            if (sent) {
                // It took the batch but not these; they would be refused again.
                return std::min<std::size_t>(sent->rejected, size);
            }
            if (!is_retryable(sent.error().code) || !wait_to_retry(client, attempt)) {
                return size;
            }
        }
    }

    /// False: there is to be no further attempt.
    bool wait_to_retry(const OtlpClient& client, std::size_t attempt) {
        constexpr std::chrono::milliseconds kAskedMax{60'000};
        constexpr unsigned kDoublingsMax = 16;
        const auto doublings = std::min<std::size_t>(attempt - 1, kDoublingsMax);
        auto delay = std::min(config.retry_delay_max, config.retry_delay_first * (1U << doublings));
        delay = std::max(delay, std::min(client.retry_after(), kAskedMax));
        std::unique_lock lock(mutex);
        if (attempt >= config.attempts_max || is_abandoned || was_last_closing_attempt) {
            return false;
        }
        wake.wait_for(lock, delay, [this] { return is_closing; });
        // Once more, at once, and then no batch of this receiver waits again.
        was_last_closing_attempt = is_closing;
        return !is_abandoned;
    }
};

LogPipeline::LogPipeline(
    const LogsConfig& config,
    ExportResource resource,
    std::vector<std::unique_ptr<OtlpClient>> clients
)
    : state_(std::make_shared<State>(config, std::move(resource), std::move(clients))),
      worker_({
          "fs-logs",
          config.schedule_delay,
          [state = state_] { return state->export_pending(); },
          [state = state_] { state->abandon(); },
      }) {}

LogPipeline::~LogPipeline() = default;

void LogPipeline::on_log(const trace::LogEvent& event) noexcept {
    auto record = copy(event);
    const auto bytes = record.byte_size();
    std::unique_lock lock(state_->mutex);
    auto& state = *state_;
    ++state.counts.offered;
    if (state.pending.size() >= state.config.queue_records_max ||
        state.pending_bytes + bytes > state.config.queue_bytes_max) {
        ++state.counts.dropped;
        return;
    }
    state.pending.push_back(std::move(record));
    state.pending_bytes += bytes;
    ++state.counts.queued;
    const bool is_batch = state.pending.size() == state.config.batch_records_max;
    lock.unlock();
    if (is_batch) {
        worker_.hurry();
    }
}

bool LogPipeline::flush(std::chrono::milliseconds budget) {
    return worker_.flush(budget);
}

bool LogPipeline::stop(SteadyTime deadline) {
    state_->begin_close();
    return worker_.stop(deadline);
}

LogCounts LogPipeline::counts() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->counts;
}

}  // namespace flowspan::exporting
