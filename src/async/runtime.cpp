#include "flowspan/async/runtime.hpp"

#include "async/pool_service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace asio = boost::asio;

namespace flowspan::async {

namespace {

struct Loop {
    // Concurrency hint 1: one thread, so Asio may drop its own locking between handlers.
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
    std::thread thread;
};

}  // namespace

struct Runtime::State {
    explicit State(const RuntimeOptions& options)
        : pools(options.cpu_threads, options.blocking_threads), loops(options.loops) {}

    PoolSet pools;
    std::vector<Loop> loops;
    std::atomic<std::size_t> next = 0;
};

Runtime::Runtime(RuntimeOptions options) {
    options.loops = std::max<std::size_t>(options.loops, 1);
    state_ = std::make_unique<State>(options);
    for (auto& loop : state_->loops) {
        asio::use_service<PoolService>(loop.context).pools = &state_->pools;
        loop.thread = std::thread([&loop] { loop.context.run(); });
    }
}

Runtime::~Runtime() {
    state_->pools.join();
    for (auto& loop : state_->loops) {
        loop.guard.reset();
        loop.context.stop();
    }
    for (auto& loop : state_->loops) {
        loop.thread.join();
    }
}

std::size_t Runtime::loop_count() const noexcept {
    return state_->loops.size();
}

PoolCounts Runtime::pool_counts() const noexcept {
    const auto read = [](const PoolSet::Count& count) {
        return PoolCount{count.queued.load(), count.running.load()};
    };
    return {read(state_->pools.cpu_count), read(state_->pools.blocking_count)};
}

TaskExecutor Runtime::loop_executor(std::size_t loop) const {
    return {state_->loops.at(loop).context.get_executor(), TaskContext::make_root()};
}

TaskExecutor Runtime::next_executor() {
    return loop_executor(state_->next.fetch_add(1) % state_->loops.size());
}

void Runtime::post(const TaskExecutor& executor, std::function<void()> function) {
    asio::post(executor, std::move(function));
}

void Runtime::start_root(const TaskExecutor& executor, Task<void> task) {
    // Not lost track of: block_on waits for the promise that the task fulfils last.
    asio::co_spawn(executor, std::move(task), asio::detached);
}

}  // namespace flowspan::async
