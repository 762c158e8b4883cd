#pragma once
// LogPipeline: log records of the process to their receivers, through one bounded queue.

#include "export/export_worker.hpp"
#include "export/otlp_client.hpp"
#include "export/otlp_logs.hpp"
#include "flowspan/export/signals.hpp"

#include <memory>
#include <vector>

namespace flowspan::exporting {

/// A full queue drops the newest record; never waits for a receiver.
class LogPipeline final : public trace::LogReceiver {
public:
    LogPipeline(
        const LogsConfig& config,
        ExportResource resource,
        std::vector<std::unique_ptr<OtlpClient>> clients
    );
    ~LogPipeline() override;

    void on_log(const trace::LogEvent& event) noexcept override;

    bool flush(std::chrono::milliseconds budget);
    bool stop(SteadyTime deadline);

    [[nodiscard]] LogCounts counts() const;

private:
    struct State;
    // Owners: this and the worker's thread.
    std::shared_ptr<State> state_;
    ExportWorker worker_;
};

}  // namespace flowspan::exporting
