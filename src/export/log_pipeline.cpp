#include "export/log_pipeline.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/base/text.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace flowspan::exporting {

namespace {

struct CopyValue {
    LogValue operator()(std::string_view text) const { return to_valid_utf8(text); }

    LogValue operator()(const json::value* document) const { return *document; }

    template <class T>
    LogValue operator()(const T& value) const {
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

LogPipeline::LogPipeline(
    const LogsConfig& config,
    const ExportResource& resource,
    std::vector<std::unique_ptr<OtlpClient>> clients,
    std::shared_ptr<const trace::Redactor> redactor
)
    : redactor_(std::move(redactor)) {
    for (auto& client : clients) {
        queues_.push_back(std::make_unique<LogQueue>(config, resource, std::move(client)));
    }
    if (config.is_console) {
        queues_.push_back(std::make_unique<LogQueue>(config, resource, nullptr));
    }
}

void LogPipeline::on_log(const trace::LogEvent& event) noexcept {
    created_.fetch_add(1, std::memory_order_relaxed);
    const auto record = std::make_shared<const LogRecord>(copy(event));
    for (const auto& queue : queues_) {
        queue->push(record);
    }
}

std::vector<ExportWorker*> LogPipeline::workers() {
    std::vector<ExportWorker*> workers;
    workers.reserve(queues_.size());
    for (const auto& queue : queues_) {
        workers.push_back(&queue->worker());
    }
    return workers;
}

void LogPipeline::begin_close() {
    for (const auto& queue : queues_) {
        queue->begin_close();
    }
}

void LogPipeline::finish_close() {
    for (const auto& queue : queues_) {
        queue->finish_close();
    }
}

LogCounts LogPipeline::counts() const {
    LogCounts counts;
    counts.created = created_.load(std::memory_order_relaxed);
    counts.receivers.reserve(queues_.size());
    for (const auto& queue : queues_) {
        counts.receivers.push_back(queue->counts());
    }
    return counts;
}

}  // namespace flowspan::exporting
