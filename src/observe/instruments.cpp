#include "observe/instruments.hpp"

#include "flowspan/trace/names.hpp"

#include <array>

namespace flowspan::observe {

namespace names = trace::names;
using trace::MetricKind;

namespace {

// The bounds that the GenAI conventions give.
constexpr std::array kTokenBounds = {
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262144.0,
    1048576.0,
    4194304.0,
    16777216.0,
    67108864.0,
};
constexpr std::array kCallSeconds = {
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
};
constexpr std::array kAgentSeconds = {
    0.1,
    0.2,
    0.4,
    0.8,
    1.6,
    3.2,
    6.4,
    12.8,
    25.6,
    51.2,
    102.4,
    204.8,
    409.6,
};
constexpr std::array kCalls = {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0};

// From a run of three quick nodes to one that waits for people.
constexpr std::array kRunSeconds = {
    0.001,
    0.01,
    0.1,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    7200.0,
};
// Nodes take microseconds (templates) to minutes (agents).
constexpr std::array kNodeSeconds = {
    0.0001,
    0.001,
    0.005,
    0.01,
    0.05,
    0.1,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
};

trace::InstrumentInfo histogram(
    std::string_view name,
    std::string_view unit,
    std::span<const double> bounds,
    std::string_view description
) {
    return {name, unit, description, MetricKind::histogram, bounds, false};
}

trace::InstrumentInfo sum(
    std::string_view name,
    std::string_view unit,
    std::string_view description,
    MetricKind kind = MetricKind::counter
) {
    return {name, unit, description, kind, {}, true};
}

}  // namespace

Instruments::Instruments(trace::MetricRegistry& registry)
    : token_usage(registry.instrument(
          histogram(names::kMetricTokenUsage, "{token}", kTokenBounds, "Tokens of a model call")
      )),
      operation_duration(registry.instrument(histogram(
          names::kMetricOperationDuration, "s", kCallSeconds, "Time of a call to a model or index"
      ))),
      time_to_first_chunk(registry.instrument(histogram(
          names::kMetricTimeToFirstChunk, "s", kCallSeconds, "From the call to its first chunk"
      ))),
      time_per_chunk(registry.instrument(histogram(
          names::kMetricTimePerChunk, "s", kCallSeconds, "Time between chunks of an answer"
      ))),
      workflow_duration(registry.instrument(
          histogram(names::kMetricWorkflowDuration, "s", kRunSeconds, "Time of a run")
      )),
      agent_duration(registry.instrument(
          histogram(names::kMetricAgentDuration, "s", kAgentSeconds, "Time of an agent")
      )),
      agent_inference_calls(registry.instrument(histogram(
          names::kMetricAgentInferenceCalls, "{inference_call}", kCalls, "Model calls of an agent"
      ))),
      agent_tool_calls(registry.instrument(
          histogram(names::kMetricAgentToolCalls, "{tool_call}", kCalls, "Tool calls of an agent")
      )),
      tool_duration(registry.instrument(
          histogram(names::kMetricToolDuration, "s", kCallSeconds, "Time of a tool call")
      )),
      runs(registry.instrument(sum(names::kMetricRuns, "{run}", "Runs that ended, by outcome"))),
      runs_active(registry.instrument(
          sum(names::kMetricRunsActive, "{run}", "Runs under way", MetricKind::up_down_counter)
      )),
      run_first_chunk(registry.instrument(histogram(
          names::kMetricRunFirstChunk, "s", kCallSeconds, "From a run's start to its first text"
      ))),
      tokens(registry.instrument(sum(names::kMetricTokens, "{token}", "Tokens that runs used"))),
      cost(registry.instrument(
          {names::kMetricCost,
           "{currency}",
           "Price of what runs used",
           MetricKind::counter,
           {},
           false}
      )),
      node_duration(registry.instrument(histogram(
          names::kMetricNodeDuration, "s", kNodeSeconds, "Time of a node, attempts included"
      ))),
      node_ready_delay(registry.instrument(histogram(
          names::kMetricNodeReadyDelay, "s", kNodeSeconds, "From a node being ready to its start"
      ))),
      node_retries(registry.instrument(
          sum(names::kMetricNodeRetries, "{retry}", "Attempts that failed and were repeated")
      )) {}

void tell_anomalies(trace::Observation& to, const LayerCounts& counts) {
    static const auto kInfo =
        sum(names::kMetricAnomalies, "{event}", "Disorder that the spans of runs stood");
    const auto tell = [&](std::string_view kind, std::uint64_t count) {
        to.tell(kInfo, static_cast<double>(count), {{names::kFlowspanAnomaly, kind}});
    };
    tell("end_without_start", counts.ends_without_start);
    tell("repeated_start", counts.repeated_starts);
    tell("late_event", counts.late_events);
    tell("hook_after_end", counts.hooks_after_end);
    tell("leftover", counts.leftovers);
    tell("expired", counts.expired);
    tell("parser_failure", counts.parser_failures);
    static const auto kFailures =
        sum(names::kMetricLayerFailures, "{failure}", "Layers that were switched off for a run");
    to.tell(kFailures, static_cast<double>(engine::layer_failure_count()));
}

void tell_pools(trace::Observation& to, const async::PoolCounts& counts) {
    static const auto kQueued =
        sum(names::kMetricPoolQueued,
            "{call}",
            "Calls that wait for a thread",
            MetricKind::up_down_counter);
    static const auto kRunning =
        sum(names::kMetricPoolRunning, "{call}", "Calls on a thread", MetricKind::up_down_counter);
    const auto tell = [&](std::string_view pool, const async::PoolCount& count) {
        to.tell(kQueued, static_cast<double>(count.queued), {{names::kFlowspanPool, pool}});
        to.tell(kRunning, static_cast<double>(count.running), {{names::kFlowspanPool, pool}});
    };
    tell("cpu", counts.cpu);
    tell("blocking", counts.blocking);
}

}  // namespace flowspan::observe
