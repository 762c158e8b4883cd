#include "flowspan/async/task.hpp"

#include "async/use_task.hpp"
#include "flowspan/async/channel.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace asio = boost::asio;

namespace flowspan::async {

Task<TaskExecutor> this_executor() {
    co_return co_await asio::this_coro::executor;
}

Task<bool> sleep(std::chrono::nanoseconds duration) {
    const TaskExecutor executor = co_await asio::this_coro::executor;
    const auto until = real_clock().steady_now() + duration;
    const auto deadline = executor.task()->deadline();
    const bool is_cut = deadline.has_value() && *deadline < until;
    asio::steady_timer timer(executor.inner(), is_cut ? *deadline : until);
    co_await timer.async_wait(use_task);
    co_return !is_cut;
}

Task<void> yield_now() {
    const TaskExecutor executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, use_task);
}

bool is_cancelled(const std::exception& exception) noexcept {
    const auto* error = dynamic_cast<const boost::system::system_error*>(&exception);
    return error != nullptr && error->code() == asio::error::operation_aborted;
}

bool is_cancelled(const std::exception_ptr& exception) noexcept {
    if (!exception) {
        return false;
    }
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        return is_cancelled(error);
    } catch (...) {
        return false;
    }
}

void throw_cancelled() {
    throw boost::system::system_error(asio::error::operation_aborted);
}

namespace detail {

Task<void> wait_for_wake(asio::steady_timer& timer) {
    boost::system::error_code code;
    co_await timer.async_wait(asio::redirect_error(use_task, code));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw_cancelled();
    }
}

}  // namespace detail

}  // namespace flowspan::async
