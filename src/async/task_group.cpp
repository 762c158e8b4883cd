#include "flowspan/async/task_group.hpp"

#include "async/ready_queue.hpp"
#include "async/use_task.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;

namespace flowspan::async {

TaskGroup::TaskGroup(TaskExecutor owner)
    : owner_(std::move(owner)),
      ready_queue_(asio::use_service<ReadyQueue>(owner_.inner().context())) {}

TaskGroup::~TaskGroup() {
    FLOWSPAN_ASSERT(
        active_ == 0 && !is_queued_,
        "a TaskGroup was destroyed before its children ended; join() it first"
    );
}

TaskGroup::Child& TaskGroup::add_child() {
    auto* child = new Child();
    child->next = first_;
    if (first_ != nullptr) {
        first_->previous = child;
    }
    first_ = child;
    ++active_;
    return *child;
}

void TaskGroup::start(Child& child, Task<void> body) {
    child.task = owner_.task()->fork();
    asio::co_spawn(
        owner_.with_task(child.task),
        std::move(body),
        asio::bind_cancellation_slot(child.signal.slot(), Done{this, &child})
    );
}

Task<void> TaskGroup::begin(Child& child) {
    // A task that is cancelled before its first real suspension would end the process, so nobody
    // emits to it before is_started; see cancel().
    co_await asio::async_initiate<const asio::use_awaitable_t<TaskExecutor>, void()>(
        [this, &child](auto handler) {
            child.begin = std::move(handler);
            (last_ready_ == nullptr ? first_ready_ : last_ready_->next_ready) = &child;
            last_ready_ = &child;
            ready_queue_.add(*this);
        },
        use_task
    );
    child.is_started = true;
    if (is_cancelled_) {
        throw_cancelled();
    }
}

TaskGroup::Step TaskGroup::take_step() {
    if (first_ready_ == nullptr) {
        return {owner_.task(), std::move(joiner_)};
    }
    Child& child = *first_ready_;
    first_ready_ = child.next_ready;
    last_ready_ = first_ready_ == nullptr ? nullptr : last_ready_;
    return {child.task, std::move(child.begin)};
}

void TaskGroup::Done::operator()(std::exception_ptr exception) const {
    group->finish(*child, std::move(exception));
}

void TaskGroup::finish(Child& child, std::exception_ptr exception) {
    if (child.previous != nullptr) {
        child.previous->next = child.next;
    } else {
        first_ = child.next;
    }
    if (child.next != nullptr) {
        child.next->previous = child.previous;
    }
    // The handler that called us was moved out of the signal's slot before, so nothing of the
    // child is in use any more.
    delete &child;
    --active_;
    if (exception && !failure_ && !async::is_cancelled(exception)) {
        failure_ = std::move(exception);
        cancel();
    }
    if (active_ == 0 && joiner_) {
        ready_queue_.add(*this);
    }
}

void TaskGroup::cancel() {
    if (is_cancelled_) {
        return;
    }
    is_cancelled_ = true;
    for (Child* child = first_; child != nullptr;) {
        // Completion never runs inside emit: it is dispatched through the child's executor, which
        // the posted start of every child keeps from running inline here.
        Child* next = child->next;
        if (child->is_started) {
            child->signal.emit(asio::cancellation_type::terminal);
        }
        child = next;
    }
}

Task<void> TaskGroup::join() {
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        // Came before there was a slot to hear it.
        cancel();
    }
    // The slot below hears a cancellation during the wait; the wait itself must not refuse it.
    co_await even_if_cancelled;
    if (active_ != 0) {
        co_await asio::async_initiate<const asio::use_awaitable_t<TaskExecutor>, void()>(
            [this](auto handler) {
                auto slot = asio::get_associated_cancellation_slot(handler);
                joiner_ = std::move(handler);
                if (slot.is_connected()) {
                    slot.assign([this](asio::cancellation_type) { cancel(); });
                }
            },
            use_task
        );
    }
    co_await asio::this_coro::throw_if_cancelled(true);
    if (failure_) {
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw_cancelled();
    }
}

}  // namespace flowspan::async
