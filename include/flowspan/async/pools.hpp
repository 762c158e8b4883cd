#pragma once
// Work that would hold up a loop: computing goes to on_cpu, blocking calls to on_blocking.

#include "flowspan/async/task.hpp"

#include <boost/asio/any_completion_handler.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace flowspan::async {

namespace detail {

enum class Pool { cpu, blocking };

/// Queues `work` on a pool thread, where `task` is current while it runs, and resumes the caller on
/// its own loop afterwards. Exceptions of `work` are rethrown to the caller.
[[nodiscard]] Task<void> run_on_pool(Pool pool, boost::asio::any_completion_handler<void()> work);

template <class Function>
Task<std::invoke_result_t<Function&>> call_on_pool(Pool pool, Function function) {
    using R = std::invoke_result_t<Function&>;
    if constexpr (std::is_void_v<R>) {
        co_await run_on_pool(pool, [&function] { function(); });
    } else {
        std::optional<R> result;
        co_await run_on_pool(pool, [&function, &result] { result.emplace(function()); });
        co_return *std::move(result);
    }
}

}  // namespace detail

/// Runs `function()` on the CPU pool (as many threads as cores). The queue is unbounded but each
/// task waits for its own entry, so it holds at most one per task. A cancelled task waits for a
/// function that has started; the function itself is not interrupted.
template <class Function>
[[nodiscard]] auto on_cpu(Function function) -> Task<std::invoke_result_t<Function&>> {
    return detail::call_on_pool(detail::Pool::cpu, std::move(function));
}

/// The same for calls that block: files, SQLite, name resolution.
template <class Function>
[[nodiscard]] auto on_blocking(Function function) -> Task<std::invoke_result_t<Function&>> {
    return detail::call_on_pool(detail::Pool::blocking, std::move(function));
}

}  // namespace flowspan::async
