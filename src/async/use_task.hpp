#pragma once
// The completion token that awaits an Asio operation inside a Task; private to this repository.

#include "flowspan/async/task_executor.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace flowspan::async {

inline constexpr boost::asio::use_awaitable_t<TaskExecutor> use_task;

}  // namespace flowspan::async
