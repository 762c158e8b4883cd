#include "infra/sandbox/detail/gate.hpp"

#include "async/use_task.hpp"
#include "flowspan/async/deadline.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>

#include <string>

namespace asio = boost::asio;

namespace flowspan::infra::sandbox {

Result<bool> Gate::try_enter() {
    const std::scoped_lock lock(mutex_);
    if (free_ > 0) {
        --free_;
        return true;
    }
    if (waiting_.size() >= waiting_max_) {
        return failure(
            ErrorCode::unavailable,
            "the sandbox is busy and " + std::to_string(waiting_max_) + " calls wait for it already"
        );
    }
    return false;
}

Task<Result<Gate::Pass>> Gate::enter() {
    FLOWSPAN_CO_TRY(const bool is_admitted, try_enter());
    if (is_admitted) {
        co_return Pass(*this);
    }
    const auto executor = co_await async::this_executor();
    if (const auto deadline = executor.task()->deadline()) {
        co_return co_await async::with_deadline<Pass>(*deadline, wait_for_pass());
    }
    co_return co_await wait_for_pass();
}

Task<Result<Gate::Pass>> Gate::wait_for_pass() {
    Waiter waiter{co_await async::this_executor(), {}, false};
    co_await asio::async_initiate<const asio::use_awaitable_t<async::TaskExecutor>, void()>(
        [this, &waiter](auto handler) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            waiter.resume = std::move(handler);
            if (slot.is_connected()) {
                slot.assign([this, &waiter](asio::cancellation_type) { remove(waiter); });
            }
            enqueue(waiter);
        },
        async::use_task
    );
    if (!waiter.is_admitted) {
        async::throw_cancelled();
    }
    co_return Pass(*this);
}

void Gate::enqueue(Waiter& waiter) {
    const std::scoped_lock lock(mutex_);
    if (free_ == 0) {
        waiting_.push_back(&waiter);
        return;
    }
    // Somebody left since enter() looked.
    --free_;
    waiter.is_admitted = true;
    asio::post(waiter.executor, std::move(waiter.resume));
}

void Gate::remove(Waiter& waiter) {
    const std::scoped_lock lock(mutex_);
    // Not in the list: admitted a moment ago, and about to be resumed.
    if (std::erase(waiting_, &waiter) != 0) {
        asio::post(waiter.executor, std::move(waiter.resume));
    }
}

void Gate::leave() {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) {
        ++free_;
        return;
    }
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    next.is_admitted = true;
    asio::post(next.executor, std::move(next.resume));
}

}  // namespace flowspan::infra::sandbox
