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
constexpr auto kLogsCreated =
    sum(names::kMetricLogsCreated, "{log_record}", "Log records made", MetricKind::counter);

/// The books of one kind of destination. Of spans: offered + announced = exported + dropped +
/// queued + undecided.
struct SinkInstruments {
    InstrumentInfo offered, exported, dropped, queued, queued_bytes, failed_attempts;
};

constexpr SinkInstruments kSpanSinks{
    sum(names::kMetricSinkOffered, "{span}", "Spans for a destination", MetricKind::counter),
    sum(names::kMetricSinkExported, "{span}", "Spans that it got", MetricKind::counter),
    sum(names::kMetricSinkDropped, "{span}", "Spans that it did not get", MetricKind::counter),
    sum(names::kMetricSinkQueued, "{span}", "Spans that wait", MetricKind::up_down_counter),
    sum(names::kMetricSinkQueuedBytes, "By", "Bytes that wait", MetricKind::up_down_counter),
    sum(names::kMetricSinkFailedAttempts, "{attempt}", "Failed exports", MetricKind::counter),
};
constexpr auto kAnnounced =
    sum(names::kMetricSinkAnnounced, "{span}", "Notices of running spans", MetricKind::counter);
constexpr auto kUndecided =
    sum(names::kMetricSinkUndecided,
        "{span}",
        "Spans that wait for their run's end",
        MetricKind::up_down_counter);
constexpr SinkInstruments kLogSinks{
    sum(names::kMetricLogSinkOffered,
        "{log_record}",
        "Log records for a receiver",
        MetricKind::counter),
    sum(names::kMetricLogSinkExported, "{log_record}", "Records that it got", MetricKind::counter),
    sum(names::kMetricLogSinkDropped,
        "{log_record}",
        "Records that it did not get",
        MetricKind::counter),
    sum(names::kMetricLogSinkQueued,
        "{log_record}",
        "Records that wait",
        MetricKind::up_down_counter),
    sum(names::kMetricLogSinkQueuedBytes, "By", "Bytes that wait", MetricKind::up_down_counter),
    sum(names::kMetricLogSinkFailedAttempts, "{attempt}", "Failed exports", MetricKind::counter),
};

double number(std::uint64_t count) {
    return static_cast<double>(count);
}

void tell_sink(trace::Observation& to, const SinkInstruments& as, const SinkCounts& sink) {
    const trace::Label label{names::kFlowspanSink, std::string_view(sink.name)};
    to.tell(as.offered, number(sink.offered), {label});
    to.tell(as.exported, number(sink.exported), {label});
    to.tell(as.queued, number(sink.queued), {label});
    to.tell(as.queued_bytes, number(sink.queued_bytes), {label});
    to.tell(as.failed_attempts, number(sink.failed_attempts), {label});
    for_each_drop(sink.dropped, [&](std::string_view reason, std::uint64_t count) {
        to.tell(as.dropped, number(count), {label, {names::kFlowspanDropReason, reason}});
    });
}

void tell_books(trace::Observation& to, const PipelineCounts& counts) {
    to.tell(kStarted, number(counts.started));
    to.tell(kLive, number(counts.open));
    to.tell(kUnsampled, number(counts.unsampled));
    for (const auto& sink : counts.sinks) {
        tell_sink(to, kSpanSinks, sink);
        const trace::Label label{names::kFlowspanSink, std::string_view(sink.name)};
        to.tell(kAnnounced, number(sink.announced), {label});
        to.tell(kUndecided, number(sink.undecided), {label});
    }
}

void tell_books(trace::Observation& to, const LogCounts& counts) {
    to.tell(kLogsCreated, number(counts.created));
    for (const auto& receiver : counts.receivers) {
        tell_sink(to, kLogSinks, receiver);
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

/// What the thread owns that sends metrics to one receiver.
struct MetricSender {
    // Owners: the senders and Signals, which hands it to the program.
    std::shared_ptr<trace::MetricRegistry> registry;
    ExportResource resource;
    std::unique_ptr<OtlpClient> client;  // of the worker's thread, but for cancel; null: console

    std::mutex mutex;
    std::string last_error;  // guarded by mutex

    bool send() {
        const auto snapshots = registry->snapshot();
        if (snapshots.empty()) {
            return true;
        }
        if (client == nullptr) {
            std::string line;
            append_metrics_json(line, resource, snapshots);
            line += '\n';
            return ::write(STDERR_FILENO, line.data(), line.size()) >= 0;
        }
        std::string body(client->prefix_bytes(), '\0');
        if (client->protocol() == OtlpProtocol::http_json) {
            append_metrics_json(body, resource, snapshots);
        } else {
            append_metrics_protobuf(body, resource, snapshots);
        }
        // Sums are cumulative: the next request carries what a lost one would have.
        const auto sent = client->send(std::move(body));
        if (!sent || sent->rejected > 0) {
            const std::scoped_lock lock(mutex);
            last_error = fmt::format(
                "{}: {}", client->name(), sent ? sent->reason : sent.error().describe()
            );
            return false;
        }
        return true;
    }
};

/// A sender and its thread; one that waits holds up no other.
struct MetricExport {
    std::shared_ptr<MetricSender> sender;  // owners: this and the worker's thread
    std::unique_ptr<ExportWorker> worker;
};

MetricExport start_export(
    std::shared_ptr<MetricSender> sender, std::chrono::milliseconds interval
) {
    auto worker = std::make_unique<ExportWorker>(ExportWorker::Job{
        "fs-metrics",
        interval,
        [sender] { return sender->send(); },
        [sender] {
            if (sender->client != nullptr) {
                sender->client->cancel();
            }
        },
    });
    return {std::move(sender), std::move(worker)};
}

Result<std::vector<MetricExport>> start_exports(
    const MetricsConfig& metrics,
    const ExportResource& resource,
    const std::shared_ptr<trace::MetricRegistry>& registry
) {
    FLOWSPAN_TRY(auto clients, make_clients(metrics.otlp, OtlpSignal::metrics));
    if (metrics.is_console) {
        clients.push_back(nullptr);
    }
    std::vector<MetricExport> exports;
    for (auto& client : clients) {
        auto sender = std::make_shared<MetricSender>();
        sender->registry = registry;
        sender->resource = resource;
        sender->client = std::move(client);
        exports.push_back(start_export(std::move(sender), metrics.interval));
    }
    return exports;
}

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
    std::unique_ptr<LogPipeline> logs;
    std::shared_ptr<void> span_observer;
    std::shared_ptr<void> log_observer;  // asks `logs`
    std::vector<MetricExport> exports;
    std::unique_ptr<ScrapeEndpoint> endpoint;
    bool is_shut_down = false;

    [[nodiscard]] std::vector<ExportWorker*> metric_workers() const {
        std::vector<ExportWorker*> workers;
        workers.reserve(exports.size());
        for (const auto& one : exports) {
            workers.push_back(one.worker.get());
        }
        return workers;
    }

    void stop_logs(SteadyTime deadline, std::vector<std::string>& losses) {
        trace::set_log_receiver(nullptr);
        logs->begin_close();
        ExportWorker::stop_all(logs->workers(), deadline);
        logs->finish_close();
        for (const auto& receiver : logs->counts().receivers) {
            if (const auto lost = receiver.dropped.lost(); lost > 0) {
                losses.push_back(fmt::format(
                    "{} did not arrive: {}{}{}",
                    count_text(static_cast<std::int64_t>(lost), "log record"),
                    receiver.name,
                    receiver.last_error.empty() ? "" : ": ",
                    receiver.last_error
                ));
            }
        }
    }

    void stop_metrics(SteadyTime deadline, std::vector<std::string>& losses) {
        ExportWorker::stop_all(metric_workers(), deadline);
        for (const auto& one : exports) {
            if (!one.worker->went_well()) {
                const std::scoped_lock lock(one.sender->mutex);
                losses.push_back(fmt::format("metrics did not arrive: {}", one.sender->last_error));
            }
        }
    }
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
        FLOWSPAN_TRY(
            state->exports,
            start_exports(metrics, make_process_resource(describes), state->registry)
        );
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
            config.logs, make_process_resource(describes), std::move(clients), describes.redactor
        );
        if (state->registry != nullptr) {
            state->log_observer =
                state->registry->observe([logs = state->logs.get()](trace::Observation& to) {
                    tell_books(to, logs->counts());
                });
        }
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
    auto workers = state_->metric_workers();
    if (state_->logs != nullptr) {
        for (auto* worker : state_->logs->workers()) {
            workers.push_back(worker);
        }
    }
    return ExportWorker::flush_all(workers, budget);
}

std::vector<std::string> Signals::shutdown(std::chrono::milliseconds budget) {
    std::vector<std::string> losses;
    if (std::exchange(state_->is_shut_down, true)) {
        return losses;
    }
    const auto started = real_clock().steady_now();
    state_->endpoint.reset();
    // Logs first, so that the last metrics tell what became of them, and with half of the time, so
    // that a dead receiver of logs leaves some for metrics.
    if (state_->logs != nullptr) {
        state_->stop_logs(started + budget / 2, losses);
    }
    state_->stop_metrics(started + budget, losses);
    const auto& file = state_->config.metrics.file;
    if (state_->registry != nullptr && !file.empty()) {
        if (const auto written = write_file(file, prometheus_text(state_->registry->snapshot()));
            !written) {
            losses.push_back(written.error().describe());
        }
    }
    state_->span_observer.reset();
    return losses;
}

}  // namespace flowspan::exporting
