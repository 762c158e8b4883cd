#pragma once
// The open spans of one run; what the observability layer keeps in the run's slot.

#include "flowspan/engine/layer.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "flowspan/trace/tracer.hpp"
#include "observe/observability_layer.hpp"

#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/nostd/unique_ptr.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace flowspan::observe {

/// A span and, while it is current in some task, the token that makes it so.
struct OpenSpan {
    trace::SpanPtr span;
    opentelemetry::nostd::unique_ptr<opentelemetry::context::Token> token;

    void make_current();

    void release() { token.reset(); }
};

/// All members may be called from any thread; tokens are made and released only in the task that
/// the hooks run in.
class RunSpans {
public:
    RunSpans(const engine::RunView& run, const trace::CapturePolicy& policy);

    void start_node(const engine::NodeRun& node, ObservabilityLayer::Counters& counters);
    void end_body(
        const engine::NodeRun& node, const Error* error, ObservabilityLayer::Counters& counters
    );
    void take_result(
        const engine::NodeRun& node,
        const engine::NodeResult& result,
        ObservabilityLayer::Counters& counters
    );
    void start_round(const engine::FrameStarted& round);
    void end_round(const engine::FrameEnded& round);
    void note_retry(const engine::NodeRunRetry& retry);
    void close(
        const engine::RunView& run, const Error* error, ObservabilityLayer::Counters& counters
    );

private:
    struct ActiveNode {
        OpenSpan node;
        OpenSpan attempt;  ///< only if the node may be retried
        std::optional<SteadyTime> body_end;
        bool has_result = false;
        double retry_delay = 0;  ///< seconds before the next attempt
        std::string retry_cause;
    };

    [[nodiscard]] trace::SpanPtr start_node_span(const engine::NodeRun& node) const;
    void start_attempt(ActiveNode& active, const engine::NodeRun& node) const;
    static void end(trace::Span& span, const std::optional<SteadyTime>& at);

    const trace::CapturePolicy& policy_;
    std::mutex mutex_;
    OpenSpan workflow_;
    std::map<std::string, ActiveNode, std::less<>> nodes_;  // by node execution id
    std::map<const void*, OpenSpan> rounds_;                // by frame
};

}  // namespace flowspan::observe
