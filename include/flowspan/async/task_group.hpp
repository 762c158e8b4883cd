#pragma once
// Structured concurrency: tasks that are joined before whoever started them goes away.

#include "flowspan/async/task.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

namespace flowspan::async {

class ReadyQueue;

/// Children run on the owner's loop, each with a context forked from the owner's at spawn time.
/// The first child that fails cancels the others, and join() rethrows its exception; a child that
/// ends as cancelled does not count as failed. All calls come from the owner's loop. Destroying a
/// group that still has children aborts: join() it first.
class TaskGroup {
public:
    /// `owner` is the executor of the task that will join().
    explicit TaskGroup(TaskExecutor owner);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `co_await function(arguments...)` as a child; both are moved into the child's frame.
    /// The child's first step comes after the caller gives up the thread. After cancel() the child
    /// ends without running its body.
    template <class Function, class... Arguments>
    void spawn(Function function, Arguments... arguments) {
        Child& child = add_child();
        start(child, run_child(*this, child, std::move(function), std::move(arguments)...));
    }

    /// Asks every child to end. Children that have not started yet never will. Idempotent.
    void cancel();

    [[nodiscard]] bool is_cancelled() const noexcept { return is_cancelled_; }

    [[nodiscard]] std::size_t size() const noexcept { return active_; }

    /// Waits until all children have ended. Cancelling the waiting task cancels the children; the
    /// wait still lasts until they are gone, and then throws. Nothing that may throw, and no other
    /// wait, stands between spawn() and join() unless it is caught; the catching task, which may
    /// have been cancelled, then does `co_await even_if_cancelled;` first.
    [[nodiscard]] Task<void> join();

private:
    friend class ReadyQueue;

    struct Child {
        Child* previous = nullptr;
        Child* next = nullptr;
        Child* next_ready = nullptr;
        bool is_started = false;
        boost::asio::cancellation_signal signal;
        TaskContextPtr task;
        boost::asio::any_completion_handler<void()> begin;
    };

    /// What the ready queue does next for this group: resumes a coroutine in its task.
    struct Step {
        TaskContextPtr task;
        boost::asio::any_completion_handler<void()> resume;
    };

    struct Done {
        TaskGroup* group;
        Child* child;
        void operator()(std::exception_ptr exception) const;
    };

    Child& add_child();
    void start(Child& child, Task<void> body);
    void finish(Child& child, std::exception_ptr exception);
    /// Waits for its turn on the loop, then marks the child as started; throws if the group was
    /// cancelled meanwhile.
    [[nodiscard]] Task<void> begin(Child& child);

    [[nodiscard]] bool has_step() const noexcept {
        return first_ready_ != nullptr || (active_ == 0 && joiner_);
    }

    /// The next child in the order of spawn(), else the joiner.
    [[nodiscard]] Step take_step();

    template <class Function, class... Arguments>
    static Task<void> run_child(
        TaskGroup& group, Child& child, Function function, Arguments... arguments
    ) {
        co_await group.begin(child);
        co_await function(std::move(arguments)...);
    }

    TaskExecutor owner_;
    ReadyQueue& ready_queue_;
    TaskGroup* next_queued_ = nullptr;
    bool is_queued_ = false;
    Child* first_ = nullptr;
    Child* first_ready_ = nullptr;
    Child* last_ready_ = nullptr;
    std::size_t active_ = 0;
    bool is_cancelled_ = false;
    std::exception_ptr failure_;
    boost::asio::any_completion_handler<void()> joiner_;
};

}  // namespace flowspan::async
