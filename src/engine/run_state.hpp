#pragma once
// Everything that one run knows of itself; lives on the run's strand.

#include "engine/frame.hpp"
#include "engine/layer_set.hpp"
#include "engine/response_stream.hpp"
#include "flowspan/engine/engine.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::engine {

class RunState final : public RunView {
public:
    RunState(RunRequest request, const Clock& clock, Random& random);

    // RunView
    const RunInfo& info() const noexcept override { return *request_.info; }

    const value::VariablePool& variables() const noexcept override { return request_.variables; }

    std::int64_t step_count() const noexcept override { return steps_; }

    std::int64_t exceptions_count() const noexcept override { return exceptions_count_; }

    std::int64_t total_tokens() const noexcept override { return usage_.total_tokens(); }

    double total_price() const noexcept override { return usage_.total_price; }

    SteadyTime started_at() const noexcept override { return started_at_; }

    RunStatus status() const noexcept override { return status_; }

    void request_abort(std::string reason) override;

    std::optional<RunSnapshot> take_snapshot() const override;

    const RunSnapshot* resumed_from() const noexcept override { return request_.resume_from.get(); }

    /// Lets what is at work finish and starts nothing else.
    void request_pause(std::string reason);

    /// How long the run was at work in earlier processes.
    [[nodiscard]] std::chrono::nanoseconds elapsed_before() const noexcept {
        return request_.resume_from ? request_.resume_from->elapsed : std::chrono::nanoseconds(0);
    }

    std::shared_ptr<void>& slot(const Layer& layer) override { return layers_.slot(layer); }

    [[nodiscard]] const RunLimits& limits() const noexcept { return request_.limits; }

    void add_layer(Layer& layer) { layers_.add(layer); }

    /// Starts the root node; `consumer` must outlive the run.
    void begin(const async::TaskExecutor& executor, EventSink& consumer);

    /// Waits until every node has ended.
    [[nodiscard]] Task<void> join();

    /// Concludes the run, after join().
    [[nodiscard]] RunResult end();

    /// Runs the children of `container` once; see NodeContext::run_frame.
    [[nodiscard]] Task<FrameResult> run_frame(
        Frame& parent, ActiveNode& container, FrameRequest request
    );

    /// Tells layers first, then the consumer.
    void emit(const Event& event);

    [[nodiscard]] const Graph& graph() const noexcept { return *request_.graph; }

private:
    class AttemptScope;
    friend class NodeExecution;

    void start_node(Frame& frame, NodeIndex index, const PendingNode* from = nullptr);
    void start_round(Frame& frame, ActiveNode& container, FrameRequest& request);
    [[nodiscard]] Task<void> join_round(ActiveNode& container, Frame& frame);
    void start_pending(Frame& frame, const FrameSnapshot& snapshot);
    void restore(Frame& frame, const FrameSnapshot& snapshot) const;

    /// A node's task is over; the last one of a round leaves it to the round to say what comes
    /// next.
    void finish_task(const Frame& frame);
    /// Ends the run as paused if it is to pause and nothing can go on by itself.
    void pause_if_still();
    /// The same once the caller has done what it does next, which may start another round.
    void pause_later();
    void defer(Frame& frame, NodeIndex index, const PendingNode* from) const;
    void suspend(Frame& frame, const NodeRun& run, NodeResult& result, Pause& pause);
    [[nodiscard]] RunSnapshot capture() const;
    [[nodiscard]] FrameSnapshot capture(const Frame& frame) const;
    [[nodiscard]] PendingNode capture(const ActiveNode& active) const;

    /// What the body of one attempt came to.
    struct Attempt {
        Result<NodeOutcome> result;
        bool is_cancelled = false;
    };

    [[nodiscard]] static Task<void> run_body(
        const Node& node, NodeContext& context, Attempt& attempt
    );
    [[nodiscard]] NodeRun begin_run(
        const Frame& frame, NodeIndex index, SteadyTime ready_at, const PendingNode* from
    );
    /// True if another attempt is to follow.
    [[nodiscard]] bool finish_attempt(
        Frame& frame, ActiveNode& active, NodeRun& run, NodeRecord&& record, Attempt& attempt
    );
    [[nodiscard]] static Task<void> execute_node(
        RunState* state, Frame* frame, NodeIndex index, SteadyTime ready_at
    );

    void finish_node(Frame& frame, NodeIndex index, const NodeRun& run, NodeResult& result);
    void fail_node(Frame& frame, NodeIndex index, const NodeRun& run, NodeResult& result);
    void handle_by_strategy(const GraphNode& node, NodeResult& result) const;
    [[nodiscard]] bool advance(Frame& frame, NodeIndex index, NodeResult& result);
    void store_outputs(Frame& frame, NodeIndex index, const NodeResult& result);
    void add_usage(Frame& frame, const NodeFacts& facts);
    void merge_response(Frame& frame, const GraphNode& node, const NodeResult& result);
    void fail_frame(Frame& frame, const Error& error);
    void skip_unused_roots(Frame& frame);
    [[nodiscard]] RunResult conclude();

    RunRequest request_;
    const Clock& clock_;
    Random& random_;
    LayerSet layers_;
    std::optional<ResponseStream> stream_;
    std::optional<Frame> root_;
    RunStatus status_ = RunStatus::running;
    SteadyTime started_at_;
    ModelFacts usage_;
    std::int64_t steps_ = 0;
    std::int64_t node_index_ = 0;
    std::int64_t exceptions_count_ = 0;
    std::optional<std::string> abort_reason_;
    bool is_held_back_ = false;  ///< somebody asked for a pause: no other node is started
    json::array pause_reasons_;  ///< not empty: the run pauses once nothing can go on by itself
    /// Node tasks and ending rounds, but not containers that wait for their rounds: what can go on
    /// without anything from outside.
    std::int64_t busy_count_ = 0;
    std::shared_ptr<const RunSnapshot> snapshot_;
    std::unique_ptr<Error> error_;  ///< apart, as few of the runs that are open have one
};

/// Adds tokens and price; the texts come from the later call.
void add(ModelFacts& total, const ModelFacts& more);

}  // namespace flowspan::engine
