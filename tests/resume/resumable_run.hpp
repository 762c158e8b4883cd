#pragma once
// A run that is interrupted and resumed as a test wants it, each part with a program of its own.

#include "cli/config.hpp"
#include "flowspan/engine/engine.hpp"
#include "flowspan/trace/propagation.hpp"
#include "service/paused_run.hpp"

#include <functional>
#include <optional>
#include <string>

namespace flowspan::resume {

/// Sees every event of a part; `count` is 1 for the first.
using EventHook =
    std::function<void(const engine::Event& event, int count, const engine::RunControl& control)>;

/// What one part of a run came to.
struct Part {
    std::string status;
    std::string outputs;  ///< JSON
    std::int64_t total_tokens = 0;
    std::optional<service::PausedRun> paused;
    int event_count = 0;
};

struct PartOptions {
    std::string model_url;  ///< of the scripted server
    EventHook hook;
    service::RunKeeper* keeper = nullptr;
    trace::Carrier headers;  ///< that a queue carried with the job
};

/// Adds nothing on failure: the status is then `refused: ...`.
[[nodiscard]] Part start_run(const std::string& app_file, const PartOptions& options);

/// Through text, as another process would have it. Every form is answered with `yes` and a comment.
[[nodiscard]] Part resume_run(const std::string& paused_text, const PartOptions& options);

/// Goes on until the run ends; the hook sees every part.
[[nodiscard]] Part run_to_the_end(Part part, const PartOptions& options);

}  // namespace flowspan::resume
