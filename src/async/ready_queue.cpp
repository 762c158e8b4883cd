#include "async/ready_queue.hpp"

#include <boost/asio/post.hpp>

namespace asio = boost::asio;

namespace flowspan::async {

namespace {

// A run of a few native nodes ends within its turn; a longer one shares the loop with the others.
constexpr int kStepsPerTurn = 16;
// Then sockets and timers get their chance; 64 steps take about 50 us.
constexpr int kStepsPerRound = 64;

}  // namespace

asio::execution_context::id ReadyQueue::id;

void ReadyQueue::add(TaskGroup& group) {
    if (group.is_queued_) {
        return;
    }
    group.is_queued_ = true;
    if (is_running_ && &group == current_ && turn_left_ > 0) {
        group.next_queued_ = first_;
        first_ = &group;
        last_ = last_ == nullptr ? first_ : last_;
    } else {
        group.next_queued_ = nullptr;
        (last_ == nullptr ? first_ : last_->next_queued_) = &group;
        last_ = &group;
    }
    request_run();
}

void ReadyQueue::request_run() {
    if (is_running_ || is_requested_) {
        return;
    }
    is_requested_ = true;
    asio::post(context_, [this] {
        is_requested_ = false;
        run();
    });
}

void ReadyQueue::run() {
    is_running_ = true;
    for (int steps = 0; first_ != nullptr && steps < kStepsPerRound; ++steps) {
        TaskGroup& group = *first_;
        if (&group != current_ || turn_left_ == 0) {
            current_ = &group;
            turn_left_ = kStepsPerTurn;
        }
        --turn_left_;
        first_ = group.next_queued_;
        last_ = first_ == nullptr ? nullptr : last_;
        group.is_queued_ = false;
        auto step = group.take_step();
        if (group.has_step()) {
            add(group);
        }
        // The step may end the group.
        const CurrentTaskScope scope(step.task.get());
        std::move(step.resume)();
    }
    is_running_ = false;
    if (first_ != nullptr) {
        request_run();
    }
}

}  // namespace flowspan::async
