#pragma once
// LogPipeline: log records of the process to their receivers, each with a queue of its own.

#include "export/log_queue.hpp"
#include "flowspan/export/signals.hpp"
#include "flowspan/trace/log_event.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace flowspan::exporting {

/// A receiver that is slow or away costs no other its records.
class LogPipeline final : public trace::LogReceiver {
public:
    LogPipeline(
        const LogsConfig& config,
        const ExportResource& resource,
        std::vector<std::unique_ptr<OtlpClient>> clients,
        std::shared_ptr<const trace::Redactor> redactor
    );

    void on_log(const trace::LogEvent& event) noexcept override;

    [[nodiscard]] const trace::Redactor* find_redactor() const noexcept override {
        return redactor_.get();
    }

    /// Their threads, for whoever flushes and stops several.
    [[nodiscard]] std::vector<ExportWorker*> workers();

    /// Before and after the workers are stopped.
    void begin_close();
    void finish_close();

    [[nodiscard]] LogCounts counts() const;

private:
    const std::shared_ptr<const trace::Redactor> redactor_;  // may be null; the program's, too
    std::vector<std::unique_ptr<LogQueue>> queues_;
    std::atomic<std::uint64_t> created_{0};
};

}  // namespace flowspan::exporting
