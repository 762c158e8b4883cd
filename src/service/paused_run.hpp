#pragma once
// A run that stands still, whole: the app, where the run is, and the trace it belongs to.

#include "flowspan/engine/run_snapshot.hpp"
#include "service/loaded_app.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace flowspan::service {

/// Everything another process needs to go on with a run. It holds the app with its variables,
/// secrets included: keep it as safe as the app's own file.
struct PausedRun {
    /// Raised when a file written by this version cannot be read by the one before.
    static constexpr std::int64_t kVersion = 1;

    std::string app_file;    ///< the app file's name, for messages
    std::string app_source;  ///< its text
    json::object trace;      ///< headers of the trace (`traceparent`, ...)
    std::shared_ptr<const engine::RunSnapshot> run;
};

[[nodiscard]] json::object to_json(const PausedRun& paused);

/// Errors: `unsupported` for another version, `invalid_input` for what is no paused run, with the
/// place of what is wrong.
[[nodiscard]] Result<PausedRun> parse_paused_run(std::string_view text);

/// The current context's headers.
[[nodiscard]] json::object trace_headers();

/// Takes a run's snapshots as it goes along, so that it can be resumed after a crash.
class RunKeeper {
public:
    virtual ~RunKeeper() = default;

    /// The latest replaces the earlier ones. Called on the run's loop.
    virtual void keep(const PausedRun& paused) = 0;
};

}  // namespace flowspan::service
