#include "export/log_pipeline.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/base/text.hpp"

#include <unistd.h>

#include <algorithm>
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
            const auto batch = std::span(records).subspan(first, size);
            const bool is_delivered = export_batch(batch);
            first += size;
            went_well = went_well && is_delivered;
            const std::scoped_lock lock(mutex);
            counts.queued -= size;
            (is_delivered ? counts.exported : counts.dropped) += size;
        }
        return went_well;
    }

    bool export_batch(std::span<const LogRecord> batch) {
        bool went_well = true;
        for (const auto& client : clients) {
            std::string body(client->prefix_bytes(), '\0');
            if (client->protocol() == OtlpProtocol::http_json) {
                append_logs_json(body, resource, batch);
            } else {
                append_logs_protobuf(body, resource, batch);
            }
            went_well = client->send(std::move(body)).has_value() && went_well;
        }
        if (config.is_console) {
            std::string line;
            append_logs_json(line, resource, batch);
            line += '\n';
            went_well = ::write(STDERR_FILENO, line.data(), line.size()) >= 0 && went_well;
        }
        return went_well;
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
          [state = state_] {
              for (const auto& client : state->clients) {
                  client->cancel();
              }
          },
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
    return worker_.stop(deadline);
}

LogCounts LogPipeline::counts() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->counts;
}

}  // namespace flowspan::exporting
