#pragma once
// The open spans of one run; what the observability layer keeps in the run's slot.

#include "flowspan/async/waits.hpp"
#include "flowspan/engine/layer.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/tracer.hpp"
#include "observe/observability_layer.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::observe {

/// A span and, while it is current in some task, what makes it so.
struct OpenSpan {
    trace::SpanPtr span;
    trace::CurrentContext current;

    void make_current() { current = trace::CurrentContext(trace::context_with(span)); }

    void release() { current.release(); }
};

/// What the spans of all runs share; owned by the layer.
struct SpanShop {
    const trace::CapturePolicy& policy;
    const std::vector<NodeParser>& parsers;
    ObservabilityLayer::Counters& counters;
    std::chrono::nanoseconds grace_period;
};

/// All members may be called from any thread; tokens are made and released only in the task that
/// the hooks run in.
class RunSpans {
public:
    RunSpans(const engine::RunView& run, SpanShop shop);

    void start_node(const engine::NodeRun& node);
    void end_body(const engine::NodeRun& node, const Error* error);
    void take_result(const engine::NodeRun& node, const engine::NodeResult& result);
    void start_round(const engine::FrameStarted& round);
    void end_round(const engine::FrameEnded& round);
    void note_warning(const engine::NodeRunWarning& warning);
    void note_retry(const engine::NodeRunRetry& retry);
    void close(const engine::RunView& run, const Error* error);

private:
    struct ActiveNode {
        OpenSpan node;
        OpenSpan attempt;  ///< only if the node may be retried
        std::optional<SteadyTime> body_end;
        bool has_result = false;
        bool is_error_recorded = false;  ///< an exception event stands on an attempt
        std::string round_error;         ///< of a container: what its last failed round failed with
        double retry_delay = 0;          ///< seconds before the next attempt
        std::string retry_cause;
        std::string_view node_id;
        const void* frame = nullptr;  ///< tells the rounds of a container apart
        // Owners: this, and the tasks of the node.
        std::shared_ptr<async::WaitLedger> waits;
    };

    struct EndedNode {
        std::string execution_id;
        std::string_view node_id;  // the graph's
        const void* frame = nullptr;
        opentelemetry::trace::SpanContext context;
    };

    using SpanLink =
        std::pair<opentelemetry::trace::SpanContext, std::map<std::string, std::string>>;
    using ActiveNodes = std::map<std::string, ActiveNode, std::less<>>;

    [[nodiscard]] trace::SpanPtr start_node_span(const engine::NodeRun& node) const;
    [[nodiscard]] std::vector<SpanLink> links_to_predecessors(const engine::NodeRun& node) const;
    [[nodiscard]] const EndedNode* find_ended(std::string_view node_id, const void* frame) const;
    void start_attempt(ActiveNode& active, const engine::NodeRun& node) const;
    static void end_attempt(ActiveNode& active, const Error* error);
    void write_result(
        ActiveNode& active, const engine::NodeRun& node, const engine::NodeResult& result
    );
    /// Ends the node's span with the time of its body's end and forgets it, but for its ids.
    void end_node(ActiveNodes::iterator at);
    void end_expired();
    void report_late(const engine::NodeRun& node, std::string_view kind, std::string_view text);
    void close_nodes();
    void close_rounds();

    const SpanShop shop_;
    std::mutex mutex_;
    bool is_closed_ = false;
    std::size_t waiting_ = 0;  ///< nodes whose body has ended and whose result is not known
    OpenSpan workflow_;
    ActiveNodes nodes_;                       // by node execution id
    std::map<const void*, OpenSpan> rounds_;  // by frame
    /// The last spans that ended, for what comes late and for links: a ring.
    std::vector<EndedNode> ended_;
    std::size_t ended_count_ = 0;
    /// Still current in tasks whose end hook has not come when the graph ended.
    std::map<std::string, ActiveNode, std::less<>> stragglers_;
};

}  // namespace flowspan::observe
