#pragma once
// Metrics and logs of the process: collects them while it lives and brings them out.

#include "flowspan/base/result.hpp"
#include "flowspan/export/pipeline_counts.hpp"
#include "flowspan/export/signals_config.hpp"
#include "flowspan/trace/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::exporting {

/// The books of log records. Each receiver was offered all that were created, and of each
/// offered = exported + queued + dropped.
struct LogCounts {
    std::uint64_t created = 0;
    std::vector<SinkCounts> receivers;
};

/// Make one in `main`, before tasks run, and destroy it after they have ended.
class Signals {
public:
    /// `describes` says who sends, as for the traces. Fails for endpoints that cannot work and for
    /// a port that is taken.
    [[nodiscard]] static Result<std::unique_ptr<Signals>> start(
        SignalsConfig config, const TelemetryConfig& describes
    );

    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// Null: nobody wants metrics.
    [[nodiscard]] trace::MetricRegistry* metrics() noexcept;

    /// The books of the span pipeline as metrics; asked for at each collection until `shutdown`.
    void observe_spans(std::function<PipelineCounts()> counts);

    /// Where `/metrics` is served; 0: nowhere.
    [[nodiscard]] std::uint16_t scrape_port() const noexcept;

    [[nodiscard]] LogCounts log_counts() const;

    /// Collects and sends what there is. False if some of it did not arrive.
    bool flush(std::chrono::milliseconds budget);

    /// The last collection, then the end; never takes much longer than `budget`. One line for each
    /// loss. Further calls return nothing.
    std::vector<std::string> shutdown(std::chrono::milliseconds budget);

private:
    struct State;
    explicit Signals(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace flowspan::exporting
