#pragma once
// Ctrl-C: the first one stops the run in order, the second one ends the program at once.

#include "flowspan/async/task_executor.hpp"

#include <functional>
#include <memory>
#include <string>

namespace flowspan::cli {

/// Watches SIGINT and SIGTERM while it lives. `on_signal` is called on the executor's loop, at most
/// once, with the signal's name.
class InterruptWatch {
public:
    InterruptWatch(
        const async::TaskExecutor& executor,
        std::function<void(const std::string& signal)> on_signal
    );
    ~InterruptWatch();
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;

    [[nodiscard]] bool was_interrupted() const noexcept;

private:
    struct State;
    // Also owned by the pending signal handler.
    std::shared_ptr<State> state_;
};

}  // namespace flowspan::cli
