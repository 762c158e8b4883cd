#pragma once
// Where a loop finds the pools of its runtime.

#include <boost/asio/execution_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace flowspan::async {

/// The two pools, started on first use. Shared by all loops of a runtime.
class PoolSet {
public:
    PoolSet(std::size_t cpu_threads, std::size_t blocking_threads)
        : cpu_threads_(cpu_threads), blocking_threads_(blocking_threads) {}

    [[nodiscard]] boost::asio::thread_pool& cpu();
    [[nodiscard]] boost::asio::thread_pool& blocking();

    /// Waits for queued work to finish.
    void join();

    /// Kept by run_on_pool.
    struct Count {
        std::atomic<std::int64_t> queued{0};
        std::atomic<std::int64_t> running{0};
    };

    Count cpu_count;
    Count blocking_count;

private:
    std::size_t cpu_threads_;
    std::size_t blocking_threads_;
    std::mutex mutex_;
    std::unique_ptr<boost::asio::thread_pool> cpu_;
    std::unique_ptr<boost::asio::thread_pool> blocking_;
};

/// An Asio service, so that any code on a loop can reach the pools through its executor.
class PoolService final : public boost::asio::execution_context::service {
public:
    using key_type = PoolService;
    static boost::asio::execution_context::id id;

    explicit PoolService(boost::asio::execution_context& context) : service(context) {}

    /// Null until the runtime has set it; the runtime outlives its loops.
    PoolSet* pools = nullptr;

private:
    void shutdown() override {}
};

}  // namespace flowspan::async
