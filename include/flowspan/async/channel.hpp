#pragma once
// A bounded queue between tasks of one loop.

#include "flowspan/async/task.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace flowspan::async {

/// Holds at most `capacity` items. What happens when it is full is the sender's choice: send()
/// waits, try_send() refuses. All calls come from one loop; closing wakes everybody.
template <class T>
class Channel {
public:
    Channel(const TaskExecutor& executor, std::size_t capacity)
        : capacity_(capacity), readable_(executor.inner()), writable_(executor.inner()) {
        readable_.expires_at(SteadyTime::max());
        writable_.expires_at(SteadyTime::max());
    }

    /// False if the channel is closed; the item is dropped then.
    [[nodiscard]] Task<bool> send(T item) {
        while (!is_closed_ && items_.size() >= capacity_) {
            co_await wait(writable_);
        }
        co_return try_send(std::move(item));
    }

    /// False if full or closed.
    bool try_send(T item) {
        if (is_closed_ || items_.size() >= capacity_) {
            return false;
        }
        items_.push_back(std::move(item));
        readable_.cancel_one();
        return true;
    }

    /// The next item; empty once the channel is closed and drained.
    [[nodiscard]] Task<std::optional<T>> receive() {
        while (items_.empty() && !is_closed_) {
            co_await wait(readable_);
        }
        if (items_.empty()) {
            co_return std::nullopt;
        }
        std::optional<T> item(std::move(items_.front()));
        items_.pop_front();
        writable_.cancel_one();
        co_return item;
    }

    /// No more items are accepted; queued ones can still be received. Idempotent.
    void close() {
        is_closed_ = true;
        readable_.cancel();
        writable_.cancel();
    }

    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

private:
    // A timer that never expires serves as a condition: cancel_one() wakes one waiter. The wake
    // arrives as operation_aborted, so a real cancellation is told apart by the task's state.
    static Task<void> wait(boost::asio::steady_timer& timer);

    std::size_t capacity_;
    bool is_closed_ = false;
    std::deque<T> items_;
    boost::asio::steady_timer readable_;
    boost::asio::steady_timer writable_;
};

namespace detail {
[[nodiscard]] Task<void> wait_for_wake(boost::asio::steady_timer& timer);
}

template <class T>
Task<void> Channel<T>::wait(boost::asio::steady_timer& timer) {
    co_await detail::wait_for_wake(timer);
}

}  // namespace flowspan::async
