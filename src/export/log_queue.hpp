#pragma once
// LogQueue: log records on their way to one receiver, through a bounded queue of its own.

#include "export/export_worker.hpp"
#include "export/otlp_client.hpp"
#include "export/otlp_logs.hpp"
#include "flowspan/export/pipeline_counts.hpp"
#include "flowspan/export/signals_config.hpp"

#include <memory>

namespace flowspan::exporting {

/// A full queue drops the newest record; never waits for the receiver.
class LogQueue {
public:
    /// `client` null: OTLP JSON lines on standard error.
    LogQueue(const LogsConfig& config, ExportResource resource, std::unique_ptr<OtlpClient> client);

    /// From any thread.
    void push(const LogRecordPtr& record);

    /// Running exports try once more and no longer wait between attempts.
    void begin_close();
    /// After the worker has stopped: what is still queued is lost.
    void finish_close();

    [[nodiscard]] ExportWorker& worker() noexcept { return worker_; }

    [[nodiscard]] SinkCounts counts() const;

private:
    struct State;
    // Owners: this and the worker's thread.
    std::shared_ptr<State> state_;
    ExportWorker worker_;
};

}  // namespace flowspan::exporting
