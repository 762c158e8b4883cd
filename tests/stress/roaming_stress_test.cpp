// Coroutines whose every resumption may come on another thread: the context goes along. The house
// pins a run to one loop, but an embedding program may have other executors.

#include "flowspan/async/task_executor.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "tests/stress/stress_task.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace flowspan::stress {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::int64_t kTasks = 2000;
constexpr int kDepth = 5;

/// Four threads that run one io_context. A single line of waits needs no strand.
struct SharedLoop {
    using Inner = asio::io_context::executor_type;

    SharedLoop() : guard(context.get_executor()) {
        for (std::size_t i = 0; i < kThreads; ++i) {
            threads.emplace_back([this] { context.run(); });
        }
    }

    Inner make_inner() { return context.get_executor(); }

    void join() {
        guard.reset();
        threads.clear();
    }

    asio::io_context context;
    asio::executor_work_guard<Inner> guard;
    std::vector<std::jthread> threads;
};

/// A strand for each task over four pool threads.
struct StrandsOnPool {
    using Inner = asio::strand<asio::thread_pool::executor_type>;

    Inner make_inner() { return asio::make_strand(pool.get_executor()); }

    void join() { pool.join(); }

    asio::thread_pool pool{kThreads};
};

template <class Place_>
class Roaming : public testing::Test {};

using Places = testing::Types<SharedLoop, StrandsOnPool>;
TYPED_TEST_SUITE(Roaming, Places);

template <class Inner>
struct Coroutines {
    using Executor = async::BasicTaskExecutor<Inner>;
    template <class T>
    using Roamer = asio::awaitable<T, Executor>;
    static constexpr asio::use_awaitable_t<Executor> kUse{};

    static Roamer<void> suspend(Tally& tally, Dice& dice, const Place& here) {
        const Executor executor = co_await asio::this_coro::executor;
        const auto before = std::this_thread::get_id();
        if (dice.chance(25)) {
            tally.timers.fetch_add(1, std::memory_order_relaxed);
            asio::steady_timer timer(executor.inner(), std::chrono::microseconds(dice.roll(300)));
            co_await timer.async_wait(kUse);
        } else {
            co_await asio::post(executor, kUse);
        }
        if (std::this_thread::get_id() != before) {
            tally.thread_changes.fetch_add(1, std::memory_order_relaxed);
        }
        tally.suspensions.fetch_add(1, std::memory_order_relaxed);
        tally.expect_current(here);
    }

    static Roamer<void> nest(Tally& tally, Dice& dice, const Place& parent, int depth) {
        const LineageSpan span(parent, "nested");
        co_await suspend(tally, dice, span.place());
        if (depth > 0) {
            co_await nest(tally, dice, span.place(), depth - 1);
            tally.expect_current(span.place());
        }
        co_await suspend(tally, dice, span.place());
    }

    static Roamer<void> run_child(Tally& tally, Dice dice, Place parent) {
        tally.children.fetch_add(1, std::memory_order_relaxed);
        co_await nest(tally, dice, parent, 2);
        tally.expect_current(parent);
    }

    /// Children that really run at once, each with a context forked here.
    static Roamer<void> run_children(Tally& tally, Dice& dice, const Place& parent) {
        const LineageSpan span(parent, "parallel");
        const Executor executor = co_await asio::this_coro::executor;
        const auto child = [&] {
            return asio::co_spawn(
                executor.with_task(executor.task()->fork()),
                run_child(tally, dice.fork(), span.place()),
                asio::deferred
            );
        };
        co_await asio::experimental::make_parallel_group(child(), child(), child())
            .async_wait(asio::experimental::wait_for_all(), kUse);
        tally.expect_current(span.place());
    }

    static Roamer<void> run_task(Tally& tally, std::int64_t id) {
        Dice dice(static_cast<std::uint64_t>(id));
        const LineageSpan span(id);
        co_await nest(tally, dice, span.place(), kDepth);
        co_await run_children(tally, dice, span.place());
        co_await nest(tally, dice, span.place(), kDepth);
        tally.tasks_done.fetch_add(1, std::memory_order_relaxed);
    }
};

TYPED_TEST(Roaming, KeepTheirContextsOverThreads) {
    using Coro = Coroutines<typename TypeParam::Inner>;
    const auto contexts_before = async::TaskContext::live_count();
    const auto leaked_before = trace::leaked_scope_count();
    const auto sink = std::make_shared<LineageSink>();
    exporting::TelemetryConfig config;
    config.sinks = {sink};
    const auto telemetry = exporting::Telemetry::start(std::move(config));
    ASSERT_TRUE(telemetry);
    Tally tally;
    {
        TypeParam place;
        std::vector<std::future<void>> tasks;
        for (std::int64_t id = 0; id < kTasks; ++id) {
            tasks.push_back(asio::co_spawn(
                typename Coro::Executor(place.make_inner(), async::TaskContext::make_root()),
                Coro::run_task(tally, id),
                asio::use_future
            ));
        }
        for (auto& task : tasks) {
            task.get();
        }
        place.join();
    }
    const auto counts = (*telemetry)->counts();
    const auto report = check_lineage(sink->take());
    fmt::print(
        "{} tasks, {} spans, {} children, {} suspensions of which {} went on on another thread\n",
        tally.tasks_done.load(),
        report.spans,
        tally.children.load(),
        tally.suspensions.load(),
        tally.thread_changes.load()
    );
    EXPECT_EQ(tally.tasks_done, kTasks);
    EXPECT_GT(tally.thread_changes, tally.suspensions / 10) << "too few to show anything";
    EXPECT_EQ(tally.wrong_contexts, 0);
    EXPECT_EQ(report.faults(), 0);
    for (const auto& sample : report.samples) {
        ADD_FAILURE() << sample;
    }
    EXPECT_EQ(counts.open, 0U);
    EXPECT_EQ(counts.started, static_cast<std::uint64_t>(report.spans));
    EXPECT_EQ(async::TaskContext::live_count(), contexts_before);
    EXPECT_EQ(trace::leaked_scope_count(), leaked_before);
}

}  // namespace
}  // namespace flowspan::stress
