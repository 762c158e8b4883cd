#pragma once
// Telemetry: switches tracing on for the process and brings every span to its sinks.

#include "flowspan/base/result.hpp"
#include "flowspan/export/pipeline_counts.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::exporting {

/// How the last words went.
struct ShutdownReport {
    std::uint64_t exported = 0;  ///< spans, added up over the sinks
    std::uint64_t lost = 0;      ///< the same for spans that did not reach a sink
    std::uint64_t open = 0;      ///< spans that nobody ended
    /// One line for each sink with losses: which, how many, why.
    std::vector<std::string> messages;
};

/// Owns the process's tracer provider while it lives. Make one in `main`, before tasks run, and
/// destroy it after they have ended.
class Telemetry {
public:
    /// What a program should wait for its receivers at its end.
    static constexpr std::chrono::milliseconds kShutdownBudget{2000};

    /// Installs the task-local context, the propagators and, unless disabled or without sinks, the
    /// provider. Fails if the configuration cannot work (for example a malformed endpoint).
    [[nodiscard]] static Result<std::unique_ptr<Telemetry>> start(TelemetryConfig config);

    ~Telemetry();
    Telemetry(const Telemetry&) = delete;
    Telemetry& operator=(const Telemetry&) = delete;

    /// False: tracing is off.
    [[nodiscard]] bool is_enabled() const noexcept;

    /// Waits until all spans that have ended reached their sinks. False if some were lost
    /// meanwhile or the time was up.
    bool flush(std::chrono::milliseconds budget);

    /// Waits until the local store knows all that has happened so far, whatever receivers do; some
    /// milliseconds. True at once without a store, false if the time was up.
    bool settle_store(std::chrono::milliseconds budget);

    [[nodiscard]] PipelineCounts counts() const;

    /// Switches tracing off, exports what waits, and closes the sinks; never takes longer than
    /// `budget`. Further calls return the same report.
    ShutdownReport shutdown(std::chrono::milliseconds budget = kShutdownBudget);

private:
    struct State;
    explicit Telemetry(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace flowspan::exporting
