#pragma once
// Deadlines and shielding: ending work early, and letting clean-up finish.

#include "flowspan/async/task_group.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace flowspan::async {

namespace detail {

template <class T>
struct DeadlineState {
    explicit DeadlineState(const TaskExecutor& executor) : timer(executor.inner()) {}

    boost::asio::steady_timer timer;
    std::optional<Result<T>> result;
    bool has_expired = false;
    TaskGroup* group = nullptr;
};

template <class T>
Task<void> run_before_deadline(std::shared_ptr<DeadlineState<T>> state, Task<Result<T>> task) {
    state->result.emplace(co_await std::move(task));
}

}  // namespace detail

/// Runs `task` as a child that is cancelled at `deadline` (or the calling task's own, if earlier).
/// Expiry is an outcome, Error{timeout}; cancellation from outside still unwinds.
template <class T>
[[nodiscard]] Task<Result<T>> with_deadline(SteadyTime deadline, Task<Result<T>> task) {
    const auto executor = co_await this_executor();
    // Owners: this coroutine and the timer's handler, which may run after the coroutine has ended.
    const auto state = std::make_shared<detail::DeadlineState<T>>(executor);
    TaskGroup group(executor);
    state->group = &group;
    state->timer.expires_at(deadline);
    state->timer.async_wait([state](const boost::system::error_code& code) {
        if (!code && state->group != nullptr) {
            state->has_expired = true;
            state->group->cancel();
        }
    });
    group.spawn(detail::run_before_deadline<T>, state, std::move(task));
    std::exception_ptr exception;
    try {
        co_await group.join();
    } catch (...) {
        exception = std::current_exception();
    }
    state->group = nullptr;
    state->timer.cancel();
    if (exception) {
        std::rethrow_exception(exception);
    }
    if (state->result) {
        co_return *std::move(state->result);
    }
    co_return failure(ErrorCode::timeout, "the deadline passed");
}

/// Runs clean-up that must not be cut short by a cancellation of the calling task, for at most
/// `limit`. A cancellation that comes meanwhile unwinds the caller when the clean-up is done, and
/// so does an earlier one (after which the caller does `co_await even_if_cancelled;` first).
template <class T>
[[nodiscard]] Task<Result<T>> shielded(std::chrono::nanoseconds limit, Task<Result<T>> task) {
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    // Also owned by the filter, which stays in place until the state is reset.
    const auto is_cancelled =
        std::make_shared<bool>(state.cancelled() != boost::asio::cancellation_type::none);
    co_await boost::asio::this_coro::reset_cancellation_state(
        [is_cancelled](boost::asio::cancellation_type) {
            *is_cancelled = true;
            return boost::asio::cancellation_type::none;
        }
    );
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    std::exception_ptr exception;
    std::optional<Result<T>> result;
    try {
        result = co_await with_deadline<T>(real_clock().steady_now() + limit, std::move(task));
    } catch (...) {
        exception = std::current_exception();
    }
    co_await boost::asio::this_coro::reset_cancellation_state(
        boost::asio::enable_terminal_cancellation()
    );
    if (exception) {
        std::rethrow_exception(exception);
    }
    if (*is_cancelled) {
        throw_cancelled();
    }
    co_return *std::move(result);
}

}  // namespace flowspan::async
