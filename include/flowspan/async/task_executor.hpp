#pragma once
// The executor of every task: makes the task's own context current around each resumption.

#include "flowspan/async/task_context.hpp"

#include <boost/asio/execution/executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <utility>

namespace flowspan::async {

/// Wraps an executor so that whatever it runs sees `task` as current_task(). All coroutines of one
/// task share one; concurrent children get a forked context and so an executor of their own.
template <class Inner>
class BasicTaskExecutor {
public:
    BasicTaskExecutor(Inner inner, TaskContextPtr task) noexcept
        : inner_(std::move(inner)), task_(std::move(task)) {}

    [[nodiscard]] const TaskContextPtr& task() const noexcept { return task_; }

    [[nodiscard]] const Inner& inner() const noexcept { return inner_; }

    /// The same place to run, for another task.
    [[nodiscard]] BasicTaskExecutor with_task(TaskContextPtr task) const noexcept {
        return {inner_, std::move(task)};
    }

    template <class Function>
    void execute(Function&& function) const {
        inner_.execute([task = task_, run = std::forward<Function>(function)]() mutable {
            const CurrentTaskScope scope(task.get());
            std::move(run)();
        });
    }

    template <class Property>
    auto query(const Property& property) const
        noexcept(noexcept(boost::asio::query(std::declval<const Inner&>(), property)))
            -> decltype(boost::asio::query(std::declval<const Inner&>(), property)) {
        return boost::asio::query(inner_, property);
    }

    template <class Property>
    auto require(const Property& property) const -> BasicTaskExecutor<
        std::decay_t<decltype(boost::asio::require(std::declval<const Inner&>(), property))>> {
        return {boost::asio::require(inner_, property), task_};
    }

    template <class Property>
    auto prefer(const Property& property) const -> BasicTaskExecutor<
        std::decay_t<decltype(boost::asio::prefer(std::declval<const Inner&>(), property))>> {
        return {boost::asio::prefer(inner_, property), task_};
    }

    bool operator==(const BasicTaskExecutor& other) const noexcept {
        return inner_ == other.inner_ && task_ == other.task_;
    }

private:
    Inner inner_;
    TaskContextPtr task_;
};

/// A task runs on one loop: an io_context that a single thread runs, which makes it a strand.
using TaskExecutor = BasicTaskExecutor<boost::asio::io_context::executor_type>;

}  // namespace flowspan::async
