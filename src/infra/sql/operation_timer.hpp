#pragma once
// The measured time of one call, by the OpenTelemetry database conventions.

#include "flowspan/base/clock.hpp"
#include "flowspan/base/result.hpp"
#include "flowspan/trace/metrics.hpp"

#include <string>

namespace flowspan::sql {

/// `db.client.operation.duration`: made once, shared by all calls.
[[nodiscard]] trace::Instrument& operation_durations(trace::MetricRegistry& registry);

/// Records once, when it goes: as cancelled unless told otherwise.
class OperationTimer {
public:
    /// `durations`: null measures nothing. `target` may be empty.
    OperationTimer(trace::Instrument* durations, std::string operation, std::string target);
    ~OperationTimer();
    OperationTimer(const OperationTimer&) = delete;
    OperationTimer& operator=(const OperationTimer&) = delete;

    template <class T>
    void finish(const Result<T>& result) {
        if (result) {
            error_type_.clear();
        } else {
            const auto& error = result.error();
            error_type_ = error.type.empty() ? to_string(error.code) : error.type;
        }
    }

private:
    trace::Instrument* durations_;
    std::string operation_;
    std::string target_;
    SteadyTime started_at_;
    std::string error_type_ = "cancelled";
};

}  // namespace flowspan::sql
