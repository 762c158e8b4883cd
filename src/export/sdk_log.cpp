#include "export/sdk_log.hpp"

#include "flowspan/base/clock.hpp"

#include <opentelemetry/sdk/common/global_log_handler.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <mutex>
#include <utility>

namespace flowspan::exporting {

namespace {

namespace internal_log = opentelemetry::sdk::common::internal_log;
using internal_log::LogLevel;

constexpr std::chrono::seconds kInterval{1};

class LogBridge final : public internal_log::LogHandler {
public:
    void Handle(
        LogLevel level,
        const char* /*file*/,
        int /*line*/,
        const char* message,
        const opentelemetry::sdk::common::AttributeMap& /*attributes*/
    ) noexcept override {
        const std::scoped_lock lock(mutex_);
        const auto now = real_clock().steady_now();
        if (passed_at_ != SteadyTime{} && now - passed_at_ < kInterval) {
            ++suppressed_;
            return;
        }
        passed_at_ = now;
        const auto severity = level == LogLevel::Error ? spdlog::level::err : spdlog::level::warn;
        spdlog::log(
            severity,
            "telemetry: {} ({} earlier messages left out)",
            message == nullptr ? "" : message,
            std::exchange(suppressed_, 0)
        );
    }

private:
    std::mutex mutex_;
    SteadyTime passed_at_;
    int suppressed_ = 0;
};

}  // namespace

void redirect_sdk_log() {
    internal_log::GlobalLogHandler::SetLogHandler(
        opentelemetry::nostd::shared_ptr<internal_log::LogHandler>(new LogBridge())
    );
    internal_log::GlobalLogHandler::SetLogLevel(LogLevel::Warning);
}

}  // namespace flowspan::exporting
