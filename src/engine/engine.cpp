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
    std::optional<std::string> early_pause;
    bool has_ended = false;
};

RunControl::RunControl() : state_(std::make_shared<State>()) {}

namespace {

using Request = void (RunState::*)(std::string reason);

void command(
    const std::shared_ptr<RunControl::State>& state,
    std::optional<std::string>& early,
    Request request,
    std::string reason
) {
    const std::scoped_lock lock(state->mutex);
    if (state->has_ended) {
        return;
    }
    if (state->run == nullptr) {
        if (!early) {
            early = std::move(reason);
        }
        return;
    }
    async::Runtime::post(*state->executor, [state, request, reason = std::move(reason)] {
        // On the run's own loop, so the run cannot end between the check and the call.
        if (state->run != nullptr) {
            (state->run->*request)(reason);
        }
    });
}

}  // namespace

void RunControl::abort(std::string reason) const {
    command(state_, state_->early_abort, &RunState::request_abort, std::move(reason));
}

void RunControl::pause(std::string reason) const {
    command(state_, state_->early_pause, &RunState::request_pause, std::move(reason));
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
        if (shared.early_pause) {
            run.request_pause(*shared.early_pause);
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
    boost::asio::steady_timer time_limit(executor.inner(), time_max - state_->run.elapsed_before());
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
    const auto* snapshot = request_.resume_from.get();
    if (snapshot != nullptr) {
        restore(*root_, snapshot->root);
        stream_->restore(snapshot->stream);
    } else {
        skip_unused_roots(*root_);
    }
    layers_.on_graph_start(*this);
    // Before the event is told, so that a snapshot taken then knows what is due. The nodes' tasks
    // begin only when this one waits.
    if (snapshot != nullptr) {
        start_pending(*root_, snapshot->root);
    } else {
        root_->states.mark_ready(graph().root());
        start_node(*root_, graph().root());
    }
    emit(GraphRunStarted{snapshot != nullptr});
    if (abort_reason_) {
        root_->tasks.cancel();
    }
}

Task<void> RunState::join() {
    return root_->tasks.join();
}

RunResult RunState::end() {
    auto result = conclude();
    layers_.on_graph_end(*this, error_.get());
    return result;
}

}  // namespace flowspan::engine
