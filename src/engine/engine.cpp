#include "flowspan/engine/engine.hpp"

#include "engine/run_state.hpp"
#include "flowspan/async/runtime.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <exception>
#include <mutex>
#include <utility>

namespace flowspan::engine {

/// Joins the threads that command and the strand that runs. The run detaches itself when it ends.
struct RunControl::State {
    std::mutex mutex;
    RunState* run = nullptr;
    std::optional<async::TaskExecutor> executor;
    std::optional<std::string> early_abort;
    bool has_ended = false;
};

RunControl::RunControl() : state_(std::make_shared<State>()) {}

void RunControl::abort(std::string reason) const {
    const std::scoped_lock lock(state_->mutex);
    if (state_->has_ended) {
        return;
    }
    if (state_->run == nullptr) {
        if (!state_->early_abort) {
            state_->early_abort = std::move(reason);
        }
        return;
    }
    async::Runtime::post(*state_->executor, [state = state_, reason = std::move(reason)] {
        // On the run's own loop, so the run cannot end between the check and the call.
        if (state->run != nullptr) {
            state->run->request_abort(reason);
        }
    });
}

struct GraphEngine::State {
    State(RunRequest request, const Clock& clock, Random& random, RunControl run_control)
        : run(std::move(request), clock, random), control(std::move(run_control)) {}

    void attach(const async::TaskExecutor& executor) {
        auto& shared = *control.state();
        const std::scoped_lock lock(shared.mutex);
        shared.run = &run;
        shared.executor = executor;
        if (shared.early_abort) {
            run.request_abort(*shared.early_abort);
        }
    }

    void detach() {
        auto& shared = *control.state();
        const std::scoped_lock lock(shared.mutex);
        shared.run = nullptr;
        shared.has_ended = true;
    }

    RunState run;
    RunControl control;
};

GraphEngine::GraphEngine(RunRequest request, const Clock& clock, Random& random, RunControl control)
    : state_(std::make_unique<State>(std::move(request), clock, random, std::move(control))) {}

GraphEngine::~GraphEngine() = default;

void GraphEngine::add_layer(Layer& layer) {
    state_->run.add_layer(layer);
}

Task<RunResult> GraphEngine::run(EventSink& consumer) {
    struct Attachment {
        explicit Attachment(State& owner) : state(owner) {}

        ~Attachment() { state.detach(); }

        Attachment(const Attachment&) = delete;
        Attachment& operator=(const Attachment&) = delete;
        State& state;
    };

    const async::TaskExecutor executor = co_await boost::asio::this_coro::executor;
    state_->attach(executor);
    const Attachment attachment(*state_);
    const auto time_max = state_->run.limits().time_max;
    boost::asio::steady_timer time_limit(executor.inner(), time_max);
    time_limit.async_wait([shared = state_->control.state(),
                           time_max](const boost::system::error_code& code) {
        // The handler may already be queued when the run ends, so it asks whether there is one.
        if (!code && shared->run != nullptr) {
            shared->run->request_abort(fmt::format(
                "Maximum execution time exceeded: {}s",
                std::chrono::duration<double>(time_max).count()
            ));
        }
    });
    auto& run = state_->run;
    run.begin(executor, consumer);
    std::exception_ptr interruption;
    try {
        co_await run.join();
    } catch (...) {
        interruption = std::current_exception();
        run.request_abort("the caller was cancelled");
    }
    auto result = run.end();
    if (interruption) {
        std::rethrow_exception(interruption);
    }
    co_return result;
}

void RunState::begin(const async::TaskExecutor& executor, EventSink& consumer) {
    started_at_ = clock_.steady_now();
    root_.emplace(graph(), executor);
    root_->variables = &request_.variables;
    stream_.emplace(graph(), root_->states, request_.variables, consumer, random_);
    skip_unused_roots(*root_);
    layers_.on_graph_start(*this);
    emit(GraphRunStarted{});
    if (abort_reason_) {
        root_->tasks.cancel();
    } else {
        root_->states.mark_ready(graph().root());
        start_node(*root_, graph().root());
    }
}

Task<void> RunState::join() {
    return root_->tasks.join();
}

RunResult RunState::end() {
    auto result = conclude();
    layers_.on_graph_end(*this, error_ ? &*error_ : nullptr);
    return result;
}

namespace {

/// Announces a round's end also when the round is cancelled.
class FrameScope {
public:
    FrameScope(RunState& state, const Frame& frame, FrameStarted started)
        : state_(state), frame_(frame), started_(started) {
        state_.emit(started_);
    }

    ~FrameScope() {
        state_.emit(FrameEnded{
            started_.node, started_.index, started_.frame, frame_.error ? &*frame_.error : nullptr
        });
    }

    FrameScope(const FrameScope&) = delete;
    FrameScope& operator=(const FrameScope&) = delete;

private:
    RunState& state_;
    const Frame& frame_;
    FrameStarted started_;
};

void set_position(ContainerPosition& position, const GraphNode& container, std::int64_t index) {
    if (container.type == "loop") {
        position.loop_id = container.id;
        position.loop_index = index;
    } else {
        position.iteration_id = container.id;
        position.iteration_index = index;
    }
}

// As the outputs of response nodes add up: answers follow each other, anything else is replaced.
void merge_outputs(json::object& total, const json::object& more) {
    for (const auto& output : more) {
        auto& merged = total[output.key()];
        if (output.key() == "answer" && merged.is_string() && output.value().is_string()) {
            merged.get_string().append(output.value().get_string());
        } else {
            merged = output.value();
        }
    }
}

}  // namespace

Task<FrameResult> RunState::run_frame(
    Frame& parent, NodeIndex container, const NodeRun& container_run, FrameRequest request
) {
    const auto& node = graph().node(container);
    const auto executor = co_await async::this_executor();
    Frame frame(graph(), executor);
    frame.position = parent.position;
    set_position(frame.position, node, request.index);
    if (request.shares_variables) {
        frame.variables = parent.variables;
    } else {
        frame.own_variables = *parent.variables;
        frame.variables = &frame.own_variables;
    }
    for (auto& variable : request.variables) {
        frame.variables->set(node.id, variable.name, std::move(variable.value));
    }
    const auto started_at = clock_.steady_now();
    {
        const FrameScope scope(
            *this, frame, FrameStarted{&container_run, request.index_name, request.index, &frame}
        );
        frame.states.mark_ready(node.first_child);
        start_node(frame, node.first_child);
        co_await frame.tasks.join();
    }
    parent.has_reached_loop_end |= frame.has_reached_loop_end && request.index_name != "loop";
    add(parent.usage, frame.usage);
    if (request.merges_outputs && (request.shares_variables || !frame.error)) {
        merge_outputs(parent.outputs, frame.outputs);
    }
    FrameResult result;
    result.elapsed = std::chrono::duration<double>(clock_.steady_now() - started_at).count();
    result.variables = *frame.variables;
    result.outputs = std::move(frame.outputs);
    result.error = std::move(frame.error);
    result.has_reached_loop_end = frame.has_reached_loop_end;
    result.usage = frame.usage;
    co_return result;
}

}  // namespace flowspan::engine
