#include "flowspan/async/pools.hpp"

#include "async/pool_service.hpp"
#include "async/use_task.hpp"
#include "flowspan/async/waits.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <thread>

namespace asio = boost::asio;

namespace flowspan::async {

asio::execution_context::id PoolService::id;

asio::thread_pool& PoolSet::cpu() {
    const std::scoped_lock lock(mutex_);
    if (!cpu_) {
        const auto threads = cpu_threads_ != 0 ? cpu_threads_ : std::thread::hardware_concurrency();
        cpu_ = std::make_unique<asio::thread_pool>(threads == 0 ? 1 : threads);
    }
    return *cpu_;
}

asio::thread_pool& PoolSet::blocking() {
    const std::scoped_lock lock(mutex_);
    if (!blocking_) {
        blocking_ = std::make_unique<asio::thread_pool>(blocking_threads_);
    }
    return *blocking_;
}

void PoolSet::join() {
    const std::scoped_lock lock(mutex_);
    if (cpu_) {
        cpu_->join();
    }
    if (blocking_) {
        blocking_->join();
    }
}

namespace detail {

Task<void> run_on_pool(Pool pool, asio::any_completion_handler<void()> work) {
    const TaskExecutor executor = co_await asio::this_coro::executor;
    auto* pools = asio::use_service<PoolService>(executor.inner().context()).pools;
    FLOWSPAN_ASSERT(pools != nullptr, "pools are used outside of a Runtime");
    std::exception_ptr exception;
    const auto queued_at = std::chrono::steady_clock::now();
    co_await asio::async_initiate<const asio::use_awaitable_t<TaskExecutor>, void()>(
        [&](auto handler) {
            auto& target = pool == Pool::cpu ? pools->cpu() : pools->blocking();
            auto& count = pool == Pool::cpu ? pools->cpu_count : pools->blocking_count;
            count.queued.fetch_add(1, std::memory_order_relaxed);
            asio::post(
                target,
                // The guard keeps the loop running while the pool works for one of its tasks.
                [task = executor.task(),
                 guard = asio::make_work_guard(executor.inner()),
                 &exception,
                 queued_at,
                 &count,
                 run = std::move(work),
                 resume = std::move(handler),
                 executor]() mutable {
                    count.queued.fetch_sub(1, std::memory_order_relaxed);
                    count.running.fetch_add(1, std::memory_order_relaxed);
                    {
                        const CurrentTaskScope scope(task.get());
                        add_wait(WaitKind::worker, std::chrono::steady_clock::now() - queued_at);
                        try {
                            std::move(run)();
                        } catch (...) {
                            exception = std::current_exception();
                        }
                    }
                    count.running.fetch_sub(1, std::memory_order_relaxed);
                    asio::post(executor, std::move(resume));
                }
            );
        },
        use_task
    );
    if (exception) {
        std::rethrow_exception(exception);
    }
}

}  // namespace detail

}  // namespace flowspan::async
