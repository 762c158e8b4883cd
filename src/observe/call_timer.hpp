#pragma once
// The duration of one call as a metric.

#include "flowspan/base/clock.hpp"
#include "flowspan/base/result.hpp"
#include "flowspan/trace/metrics.hpp"
#include "flowspan/trace/names.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::observe {

/// Records a duration when the call ends, however it ends.
class CallTimer {
public:
    CallTimer(trace::Instrument& instrument, std::vector<trace::Label> labels)
        : instrument_(instrument), labels_(std::move(labels)) {}

    ~CallTimer() {
        if (error_type_.empty() && !is_done_) {
            // Unwinding is how a cancelled call ends.
            error_type_ = "cancelled";
        }
        if (!error_type_.empty()) {
            labels_.push_back({trace::names::kErrorType, std::string_view(error_type_)});
        }
        const std::chrono::duration<double> elapsed = real_clock().steady_now() - started_;
        instrument_.record(elapsed.count(), labels_);
    }

    CallTimer(const CallTimer&) = delete;
    CallTimer& operator=(const CallTimer&) = delete;

    template <class T>
    void finish(const Result<T>& result) {
        is_done_ = true;
        if (!result) {
            const auto& error = result.error();
            error_type_ = error.type.empty() ? to_string(error.code) : std::string_view(error.type);
        }
    }

private:
    trace::Instrument& instrument_;
    std::vector<trace::Label> labels_;
    SteadyTime started_ = real_clock().steady_now();
    std::string error_type_;
    bool is_done_ = false;
};

}  // namespace flowspan::observe
