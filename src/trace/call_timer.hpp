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

namespace flowspan::trace {

/// Records a duration when the call ends, however it ends. What labels refer to must outlive it.
class CallTimer {
public:
    CallTimer(Instrument& instrument, std::vector<Label> labels)
        : CallTimer(&instrument, std::move(labels)) {}

    /// Null measures nothing.
    CallTimer(Instrument* instrument, std::vector<Label> labels)
        : instrument_(instrument), labels_(std::move(labels)) {}

    ~CallTimer() {
        if (instrument_ == nullptr) {
            return;
        }
        if (error_type_.empty() && !is_done_) {
            // Unwinding is how a cancelled call ends.
            error_type_ = "cancelled";
        }
        if (!error_type_.empty()) {
            labels_.push_back({names::kErrorType, std::string_view(error_type_)});
        }
        const std::chrono::duration<double> elapsed = real_clock().steady_now() - started_;
        instrument_->record(elapsed.count(), labels_);
    }

    CallTimer(const CallTimer&) = delete;
    CallTimer& operator=(const CallTimer&) = delete;

    void add_label(const Label& label) { labels_.push_back(label); }

    /// Empty: the call did not fail.
    void finish(std::string_view error_type) {
        is_done_ = true;
        error_type_ = error_type;
    }

    void fail(const Error& error) {
        finish(error.type.empty() ? to_string(error.code) : std::string_view(error.type));
    }

    template <class T>
    void finish(const Result<T>& result) {
        if (result) {
            finish("");
        } else {
            fail(result.error());
        }
    }

private:
    Instrument* instrument_;
    std::vector<Label> labels_;
    SteadyTime started_ = real_clock().steady_now();
    std::string error_type_;
    bool is_done_ = false;
};

}  // namespace flowspan::trace
