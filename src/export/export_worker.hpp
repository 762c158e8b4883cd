#pragma once
// A thread that exports now and then, at a request, and once more at the end.

#include "flowspan/base/clock.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <span>
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
    /// Without `stop_all` the running export gets no more time.
    ~ExportWorker();
    ExportWorker(const ExportWorker&) = delete;
    ExportWorker& operator=(const ExportWorker&) = delete;

    /// Does not wait for the interval.
    void hurry();

    /// Each runs once from now on, all at once; false if one lost something or needs longer.
    static bool flush_all(std::span<ExportWorker* const> workers, std::chrono::milliseconds budget);

    /// Begins the last run; `stop_all` still has to follow.
    void begin_stop();

    /// Each runs a last time and ends, all at once: none takes the time of another. Returns by
    /// `deadline`.
    static void stop_all(std::span<ExportWorker* const> workers, SteadyTime deadline);

    /// After a stop: whether the last run went well.
    [[nodiscard]] bool went_well() const;

private:
    bool wait_done(SteadyTime deadline);
    void join_or_leave();

    struct State;
    // Owners: this and the thread.
    std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace flowspan::exporting
