#include "flowspan/export/signals.hpp"

#include "export/export_worker.hpp"
#include "export/log_pipeline.hpp"
#include "export/otlp_client.hpp"
#include "export/otlp_metrics.hpp"
#include "export/process_resource.hpp"
#include "export/prometheus_text.hpp"
#include "export/scrape_endpoint.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

namespace flowspan::exporting {

namespace {

namespace names = trace::names;
using Clients = std::vector<std::unique_ptr<OtlpClient>>;
using trace::InstrumentInfo;
using trace::MetricKind;

constexpr InstrumentInfo sum(
    const char* name, std::string_view unit, std::string_view description, MetricKind kind
) {
    return {name, unit, description, kind, {}, true};
}

constexpr auto kStarted =
    sum(names::kMetricSpansStarted, "{span}", "Spans that were started", MetricKind::counter);
constexpr auto kLive =
    sum(names::kMetricSpansLive, "{span}", "Spans under way", MetricKind::up_down_counter);
constexpr auto kUnsampled =
    sum(names::kMetricSpansUnsampled, "{span}", "Spans that stay local", MetricKind::counter);
constexpr auto kOffered = sum(
    names::kMetricSinkOffered, "{span}", "Spans that a destination should get", MetricKind::counter
);
constexpr auto kExported =
    sum(names::kMetricSinkExported, "{span}", "Spans that it got", MetricKind::counter);
constexpr auto kDropped =
    sum(names::kMetricSinkDropped, "{span}", "Spans that it did not get", MetricKind::counter);
constexpr auto kQueued =
    sum(names::kMetricSinkQueued, "{span}", "Spans that wait for it", MetricKind::up_down_counter);
constexpr auto kQueuedBytes =
    sum(names::kMetricSinkQueuedBytes, "By", "Bytes that wait for it", MetricKind::up_down_counter);
constexpr auto kFailedAttempts =
    sum(names::kMetricSinkFailedAttempts, "{attempt}", "Exports that failed", MetricKind::counter);

void tell_books(trace::Observation& to, const PipelineCounts& counts) {
    const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
    to.tell(kStarted, number(counts.started));
    to.tell(kLive, number(counts.open));
    to.tell(kUnsampled, number(counts.unsampled));
    for (const auto& sink : counts.sinks) {
        const trace::Label label{names::kFlowspanSink, std::string_view(sink.name)};
        to.tell(kOffered, number(sink.offered), {label});
        to.tell(kExported, number(sink.exported), {label});
        to.tell(kQueued, number(sink.queued), {label});
        to.tell(kQueuedBytes, number(sink.queued_bytes), {label});
        to.tell(kFailedAttempts, number(sink.failed_attempts), {label});
        const auto dropped = [&](std::string_view reason, std::uint64_t count) {
            to.tell(kDropped, number(count), {label, {names::kFlowspanDropReason, reason}});
        };
        dropped("queue_full", sink.dropped.queue_full);
        dropped("queue_bytes", sink.dropped.queue_bytes);
        dropped("export_failed", sink.dropped.export_failed);
        dropped("rejected", sink.dropped.rejected);
        dropped("shutdown", sink.dropped.shutdown);
    }
}

Result<Clients> make_clients(const std::vector<OtlpConfig>& configs, OtlpSignal signal) {
    Clients clients;
    for (const auto& config : configs) {
        FLOWSPAN_TRY(const auto target, resolve_target(config, signal));
        clients.push_back(std::make_unique<OtlpClient>(config, target, signal));
    }
    return clients;
}

/// What the thread that sends metrics owns.
struct MetricSender {
    // Owners: the sender and Signals, which hands it to the program.
    std::shared_ptr<trace::MetricRegistry> registry;
    ExportResource resource;
    Clients clients;  // of the worker's thread, but for cancel
    bool is_console = false;

    std::mutex mutex;
    std::string last_error;  // guarded by mutex

    bool send() {
        const auto snapshots = registry->snapshot();
        if (snapshots.empty()) {
            return true;
        }
        bool went_well = true;
        for (const auto& client : clients) {
            std::string body(client->prefix_bytes(), '\0');
            if (client->protocol() == OtlpProtocol::http_json) {
                append_metrics_json(body, resource, snapshots);
            } else {
                append_metrics_protobuf(body, resource, snapshots);
            }
            // Sums are cumulative: the next request carries what a lost one would have.
            if (const auto sent = client->send(std::move(body)); !sent) {
                went_well = false;
                const std::scoped_lock lock(mutex);
                last_error = fmt::format("{}: {}", client->name(), sent.error().describe());
            }
        }
        if (is_console) {
            std::string line;
            append_metrics_json(line, resource, snapshots);
            line += '\n';
            went_well = ::write(STDERR_FILENO, line.data(), line.size()) >= 0 && went_well;
        }
        return went_well;
    }
};

Result<void> write_file(const std::string& path, std::string_view text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const bool is_written =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error_number = errno;
    if (file >= 0) {
        ::close(file);
    }
    if (!is_written) {
        return failure(
            ErrorCode::execution_failed,
            fmt::format("cannot write {}: {}", path, std::system_category().message(error_number))
        );
    }
    return {};
}

}  // namespace

struct Signals::State {
    SignalsConfig config;
    // Owners: this and the thread that sends.
    std::shared_ptr<trace::MetricRegistry> registry;
    std::shared_ptr<MetricSender> sender;
    std::shared_ptr<void> span_observer;
    std::unique_ptr<ExportWorker> metric_worker;
    std::unique_ptr<LogPipeline> logs;
    std::unique_ptr<ScrapeEndpoint> endpoint;
    bool is_shut_down = false;
};

Signals::Signals(std::unique_ptr<State> state) : state_(std::move(state)) {}

Signals::~Signals() {
    static_cast<void>(shutdown(std::chrono::milliseconds(200)));
}

Result<std::unique_ptr<Signals>> Signals::start(
    SignalsConfig config, const TelemetryConfig& describes
) {
    auto state = std::make_unique<State>();
    const auto& metrics = config.metrics;
    if (!describes.is_disabled && metrics.is_wanted()) {
        state->registry = std::make_shared<trace::MetricRegistry>(metrics.exemplars);
        if (!metrics.otlp.empty() || metrics.is_console) {
            state->sender = std::make_shared<MetricSender>();
            state->sender->registry = state->registry;
            state->sender->resource = make_process_resource(describes);
            FLOWSPAN_TRY(state->sender->clients, make_clients(metrics.otlp, OtlpSignal::metrics));
            state->sender->is_console = metrics.is_console;
            state->metric_worker = std::make_unique<ExportWorker>(ExportWorker::Job{
                "fs-metrics",
                metrics.interval,
                [sender = state->sender] { return sender->send(); },
                [sender = state->sender] {
                    for (const auto& client : sender->clients) {
                        client->cancel();
                    }
                },
            });
        }
        if (metrics.scrape) {
            FLOWSPAN_TRY(
                state->endpoint,
                ScrapeEndpoint::start(
                    *metrics.scrape,
                    [registry = state->registry](bool is_openmetrics) {
                        return prometheus_text(
                            registry->snapshot(),
                            is_openmetrics ? ScrapeFormat::openmetrics : ScrapeFormat::text
                        );
                    }
                )
            );
        }
    }
    if (!describes.is_disabled && config.logs.is_wanted()) {
        FLOWSPAN_TRY(auto clients, make_clients(config.logs.otlp, OtlpSignal::logs));
        state->logs = std::make_unique<LogPipeline>(
            config.logs, make_process_resource(describes), std::move(clients)
        );
        trace::set_log_receiver(state->logs.get());
    }
    state->config = std::move(config);
    return std::unique_ptr<Signals>(new Signals(std::move(state)));
}

trace::MetricRegistry* Signals::metrics() noexcept {
    return state_->registry.get();
}

void Signals::observe_spans(std::function<PipelineCounts()> counts) {
    if (state_->registry != nullptr) {
        state_->span_observer =
            state_->registry->observe([ask = std::move(counts)](trace::Observation& to) {
                tell_books(to, ask());
            });
    }
}

std::uint16_t Signals::scrape_port() const noexcept {
    return state_->endpoint == nullptr ? std::uint16_t{0} : state_->endpoint->port();
}

LogCounts Signals::log_counts() const {
    return state_->logs == nullptr ? LogCounts{} : state_->logs->counts();
}

bool Signals::flush(std::chrono::milliseconds budget) {
    bool went_well = true;
    if (state_->metric_worker != nullptr) {
        went_well = state_->metric_worker->flush(budget);
    }
    if (state_->logs != nullptr) {
        went_well = state_->logs->flush(budget) && went_well;
    }
    return went_well;
}

std::vector<std::string> Signals::shutdown(std::chrono::milliseconds budget) {
    std::vector<std::string> losses;
    if (std::exchange(state_->is_shut_down, true)) {
        return losses;
    }
    const auto deadline = real_clock().steady_now() + budget;
    state_->endpoint.reset();
    if (state_->metric_worker != nullptr && !state_->metric_worker->stop(deadline)) {
        const std::scoped_lock lock(state_->sender->mutex);
        losses.push_back(fmt::format("metrics did not arrive: {}", state_->sender->last_error));
    }
    const auto& file = state_->config.metrics.file;
    if (state_->registry != nullptr && !file.empty()) {
        if (const auto written = write_file(file, prometheus_text(state_->registry->snapshot()));
            !written) {
            losses.push_back(written.error().describe());
        }
    }
    state_->span_observer.reset();
    if (state_->logs != nullptr) {
        trace::set_log_receiver(nullptr);
        static_cast<void>(state_->logs->stop(deadline));
        const auto counts = state_->logs->counts();
        if (const auto lost = counts.dropped + counts.queued; lost > 0) {
            losses.push_back(fmt::format(
                "{} did not arrive{}{}",
                count_text(static_cast<std::int64_t>(lost), "log record"),
                counts.last_error.empty() ? "" : ": ",
                counts.last_error
            ));
        }
    }
    return losses;
}

}  // namespace flowspan::exporting
