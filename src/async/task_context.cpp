#include "flowspan/async/task_context.hpp"

namespace flowspan::async {

namespace {

thread_local TaskContext* t_current_task = nullptr;
std::atomic<std::int64_t> g_live_contexts{0};

}  // namespace

TaskContext::TaskContext() noexcept {
    g_live_contexts.fetch_add(1, std::memory_order_relaxed);
}

TaskContext::~TaskContext() {
    g_live_contexts.fetch_sub(1, std::memory_order_relaxed);
}

std::int64_t TaskContext::live_count() noexcept {
    return g_live_contexts.load(std::memory_order_relaxed);
}

TaskContextPtr TaskContext::make_root() {
    return TaskContextPtr(new TaskContext());
}

TaskContextPtr TaskContext::fork() const {
    auto child = make_root();
    child->deadline_ = deadline_;
    child->waits_ = waits_;
    if (local_) {
        child->local_ = local_->fork();
    }
    return child;
}

[[gnu::noinline]] TaskContext* current_task() noexcept {
    return t_current_task;
}

CurrentTaskScope::CurrentTaskScope(TaskContext* task) noexcept : previous_(t_current_task) {
    t_current_task = task;
}

CurrentTaskScope::~CurrentTaskScope() {
    t_current_task = previous_;
}

}  // namespace flowspan::async
