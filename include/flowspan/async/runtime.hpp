#pragma once
// The threads of the program: a few loops that runs are pinned to, and two pools.

#include "flowspan/async/task.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <utility>

namespace flowspan::async {

struct RuntimeOptions {
    std::size_t loops = 1;              ///< threads that run tasks; at least 1
    std::size_t cpu_threads = 0;        ///< 0: one per core; started on first use
    std::size_t blocking_threads = 16;  ///< started on first use
};

/// Calls of on_cpu() and on_blocking() now.
struct PoolCount {
    std::int64_t queued = 0;  ///< wait for a thread
    std::int64_t running = 0;
};

struct PoolCounts {
    PoolCount cpu;
    PoolCount blocking;
};

/// Owns loops and pools. Each loop is one thread with one io_context, so everything on a loop is a
/// strand. Destroying the runtime stops the loops; join all groups before.
class Runtime {
public:
    explicit Runtime(RuntimeOptions options = {});
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    [[nodiscard]] std::size_t loop_count() const noexcept;

    /// From any thread.
    [[nodiscard]] PoolCounts pool_counts() const noexcept;

    /// A fresh root task's executor on the given loop.
    [[nodiscard]] TaskExecutor loop_executor(std::size_t loop) const;

    /// Loops in turn.
    [[nodiscard]] TaskExecutor next_executor();

    /// Runs `function(arguments...)` as a root task on `executor` and blocks the calling thread,
    /// which must not be a loop, until it ends. Rethrows.
    template <class Function, class... Arguments>
    auto block_on(const TaskExecutor& executor, Function function, Arguments... arguments) {
        using T = typename std::invoke_result_t<Function&, Arguments...>::value_type;
        std::promise<T> promise;
        auto future = promise.get_future();
        start_root(
            executor,
            fulfil<T, Function, Arguments...>(promise, std::move(function), std::move(arguments)...)
        );
        return future.get();
    }

    template <class Function, class... Arguments>
        requires std::is_invocable_v<Function&, Arguments...>
    auto block_on(Function function, Arguments... arguments) {
        return block_on(next_executor(), std::move(function), std::move(arguments)...);
    }

    /// Runs a plain function on a loop, soon; for signals that come from foreign threads.
    static void post(const TaskExecutor& executor, std::function<void()> function);

private:
    template <class T, class Function, class... Arguments>
    static Task<void> fulfil(std::promise<T>& promise, Function function, Arguments... arguments) {
        try {
            if constexpr (std::is_void_v<T>) {
                co_await function(std::move(arguments)...);
                promise.set_value();
            } else {
                promise.set_value(co_await function(std::move(arguments)...));
            }
        } catch (...) {
            promise.set_exception(std::current_exception());
        }
    }

    static void start_root(const TaskExecutor& executor, Task<void> task);

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace flowspan::async
