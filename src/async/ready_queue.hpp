#pragma once
// Whose turn it is on a loop: the groups that have children to start or a joiner to wake.

#include "flowspan/async/task_group.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

namespace flowspan::async {

/// One per loop, an Asio service. A group keeps its turn for a few steps, so that what one run does
/// in a row finds its data in the caches, however many runs are ready; and a step costs no way
/// through Asio's own queue. Used on the loop's thread only.
class ReadyQueue final : public boost::asio::execution_context::service {
public:
    using key_type = ReadyQueue;
    static boost::asio::execution_context::id id;

    explicit ReadyQueue(boost::asio::execution_context& context)
        : service(context), context_(static_cast<boost::asio::io_context&>(context)) {}

    /// `group` has a step to do. No effect if it is queued already.
    void add(TaskGroup& group);

private:
    void shutdown() override {}

    void request_run();
    void run();

    boost::asio::io_context& context_;
    TaskGroup* first_ = nullptr;
    TaskGroup* last_ = nullptr;
    const TaskGroup* current_ = nullptr;  // only compared: it may be gone
    int turn_left_ = 0;
    bool is_running_ = false;
    bool is_requested_ = false;
};

}  // namespace flowspan::async
