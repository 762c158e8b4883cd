#pragma once
// A thread that exports now and then, at a request, and once more at the end.

#include "flowspan/base/clock.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace flowspan::exporting {

class ExportWorker {
public:
    /// Called on the worker's thread only, but for `cancel`. What they touch must be owned by them,
    /// because a thread that hangs outlives the worker.
    struct Job {
        std::string thread_name;
        std::chrono::milliseconds interval;
        std::function<bool()> run;     ///< one export; false: something got lost
        std::function<void()> cancel;  ///< from any thread: a running export should end soon
    };

    explicit ExportWorker(Job job);
    /// Without `stop` the running export gets no more time.
    ~ExportWorker();
    ExportWorker(const ExportWorker&) = delete;
    ExportWorker& operator=(const ExportWorker&) = delete;

    /// Does not wait for the interval.
    void hurry();

    /// Runs once from now on and says how it went; false after `budget`.
    bool flush(std::chrono::milliseconds budget);

    /// Runs a last time and ends; returns by `deadline` and says if all of it went well.
    bool stop(SteadyTime deadline);

private:
    struct State;
    // Owners: this and the thread.
    std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace flowspan::exporting
