#pragma once
// The metrics of runs, nodes, models, tools and agents.

#include "flowspan/async/runtime.hpp"
#include "flowspan/trace/metrics.hpp"
#include "observe/observability_layer.hpp"

namespace flowspan::observe {

/// Made from a registry once; shared by everything that measures.
struct Instruments {
    /// `registry` must outlive the result.
    explicit Instruments(trace::MetricRegistry& registry);

    // GenAI conventions.
    trace::Instrument& token_usage;
    trace::Instrument& operation_duration;
    trace::Instrument& time_to_first_chunk;
    trace::Instrument& time_per_chunk;
    trace::Instrument& workflow_duration;
    trace::Instrument& agent_duration;
    trace::Instrument& agent_inference_calls;
    trace::Instrument& agent_tool_calls;
    trace::Instrument& tool_duration;

    // Our own.
    trace::Instrument& runs;
    trace::Instrument& runs_active;
    trace::Instrument& run_first_chunk;
    trace::Instrument& tokens;
    trace::Instrument& cost;
    trace::Instrument& node_duration;
    trace::Instrument& node_ready_delay;
    trace::Instrument& node_retries;
};

/// What observing itself did not manage, at a snapshot.
void tell_anomalies(trace::Observation& to, const LayerCounts& counts);

/// The pools of the runtime, at a snapshot.
void tell_pools(trace::Observation& to, const async::PoolCounts& counts);

}  // namespace flowspan::observe
