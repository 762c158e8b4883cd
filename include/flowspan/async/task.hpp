#pragma once
// Task<T>: the one coroutine type, and what a task can do with itself: wait, yield, use a pool.

#include "flowspan/async/task_executor.hpp"
#include "flowspan/base/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

namespace flowspan {

/// A lazy coroutine. Cancellation is Asio's: the pending wait throws `operation_aborted`.
template <class T = void>
using Task = boost::asio::awaitable<T, async::TaskExecutor>;

}  // namespace flowspan

namespace flowspan::async {

/// The executor of the calling task.
[[nodiscard]] Task<TaskExecutor> this_executor();

/// Waits; ends early with `false` if the task's deadline comes first. Cancellation throws.
[[nodiscard]] Task<bool> sleep(std::chrono::nanoseconds duration);

/// Lets other ready work run; a cancelled task ends here.
[[nodiscard]] Task<void> yield_now();

/// True for the exception by which a cancelled task unwinds.
[[nodiscard]] bool is_cancelled(const std::exception_ptr& exception) noexcept;
[[nodiscard]] bool is_cancelled(const std::exception& exception) noexcept;

/// `co_await even_if_cancelled;` goes right before the `join()` or `shielded()` by which a task
/// cleans up: once cancelled, a task is refused every other wait. Both switch it off again.
inline constexpr auto even_if_cancelled = boost::asio::this_coro::throw_if_cancelled(false);

/// Ends the calling task as cancelled.
[[noreturn]] void throw_cancelled();

}  // namespace flowspan::async
