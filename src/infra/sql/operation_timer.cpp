#include "infra/sql/operation_timer.hpp"

#include "flowspan/trace/names.hpp"

#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace names = flowspan::trace::names;

namespace flowspan::sql {

namespace {

// The bounds that the database conventions give.
constexpr std::array kSeconds = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0};

}  // namespace

trace::Instrument& operation_durations(trace::MetricRegistry& registry) {
    return registry.instrument(
        {names::kMetricDbOperationDuration,
         "s",
         "Time of a call to a database",
         trace::MetricKind::histogram,
         kSeconds,
         false}
    );
}

OperationTimer::OperationTimer(
    trace::Instrument* durations, std::string operation, std::string target
)
    : durations_(durations), operation_(std::move(operation)), target_(std::move(target)) {
    if (durations_ != nullptr) {
        started_at_ = real_clock().steady_now();
    }
}

OperationTimer::~OperationTimer() {
    if (durations_ == nullptr) {
        return;
    }
    std::vector<trace::Label> labels = {
        {names::kDbSystemName, std::string_view("sqlite")},
        {names::kDbOperationName, operation_},
    };
    if (!target_.empty()) {
        labels.push_back({names::kDbCollectionName, target_});
    }
    if (!error_type_.empty()) {
        labels.push_back({names::kErrorType, error_type_});
    }
    const auto took = real_clock().steady_now() - started_at_;
    durations_->record(std::chrono::duration<double>(took).count(), labels);
}

}  // namespace flowspan::sql
