#pragma once
// One runner per app mode: prepares the variables and runs the graph.

#include "flowspan/engine/engine.hpp"
#include "service/loaded_app.hpp"
#include "service/paused_run.hpp"

#include <memory>
#include <string>
#include <vector>

namespace flowspan::service {

/// A request that has passed its checks.
struct AppRun {
    std::shared_ptr<const LoadedApp> app;
    std::shared_ptr<const engine::RunInfo> info;
    std::vector<engine::NodeOutput> inputs;  ///< validated start form variables
    std::string query;                       ///< chat modes
    json::array files;                       ///< file records given with the query
    std::int64_t dialogue_count = 1;
    engine::RunControl control;
    json::object trace;           ///< headers of the run's trace, if it may have to be resumed
    RunKeeper* keeper = nullptr;  ///< takes snapshots as the run goes along; null: nobody
    /// Goes on from there instead of starting; inputs, query and files are not used.
    std::shared_ptr<const engine::RunSnapshot> resume_from;
    json::object answers;  ///< what came in for pauses, by their session ids
};

class AppRunner {
public:
    virtual ~AppRunner() = default;

    /// Streams events into `consumer`. `run` must outlive the task. A failed run is a result with
    /// status failed; an Error means that it could not start.
    [[nodiscard]] virtual Task<Result<engine::RunResult>> run(
        const AppRun& run, engine::EventSink& consumer
    ) = 0;
};

/// What runners need of the process.
struct RunnerServices {
    const Clock& clock;
    Random& random;
    std::vector<engine::Layer*> layers;  ///< added to every run in this order; must outlive it
    engine::RunLimits limits;
};

[[nodiscard]] std::unique_ptr<AppRunner> make_workflow_app_runner(RunnerServices services);
[[nodiscard]] std::unique_ptr<AppRunner> make_advanced_chat_app_runner(RunnerServices services);

}  // namespace flowspan::service
