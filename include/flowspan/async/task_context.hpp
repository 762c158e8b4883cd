#pragma once
// What belongs to one logical task wherever it runs: its deadline and its task-local state.

#include "flowspan/base/clock.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace flowspan::async {

/// State that another room hangs on a task (tracing keeps its context stack here).
class TaskLocal {
public:
    virtual ~TaskLocal() = default;

    /// What a child task starts with.
    [[nodiscard]] virtual std::unique_ptr<TaskLocal> fork() const = 0;
};

class TaskContext;
class WaitLedger;

/// Shared ownership without a control block; a context is copied with every executor.
class TaskContextPtr {
public:
    TaskContextPtr() noexcept = default;

    explicit TaskContextPtr(TaskContext* adopted) noexcept : context_(adopted) {}

    TaskContextPtr(const TaskContextPtr& other) noexcept;

    TaskContextPtr(TaskContextPtr&& other) noexcept
        : context_(std::exchange(other.context_, nullptr)) {}

    TaskContextPtr& operator=(TaskContextPtr other) noexcept {
        std::swap(context_, other.context_);
        return *this;
    }

    ~TaskContextPtr();

    [[nodiscard]] TaskContext* get() const noexcept { return context_; }

    TaskContext* operator->() const noexcept { return context_; }

    TaskContext& operator*() const noexcept { return *context_; }

    explicit operator bool() const noexcept { return context_ != nullptr; }

    bool operator==(const TaskContextPtr&) const noexcept = default;

private:
    TaskContext* context_ = nullptr;
};

/// One per task. Used by one thread at a time: the one that currently runs the task (or, while the
/// task waits for a pool, the pool thread that works for it).
class TaskContext {
public:
    /// A context without parent: no deadline, no task-local state.
    [[nodiscard]] static TaskContextPtr make_root();

    /// A child's context: same deadline, same ledger of waits, forked task-local state.
    [[nodiscard]] TaskContextPtr fork() const;

    [[nodiscard]] std::optional<SteadyTime> deadline() const noexcept { return deadline_; }

    /// Deadlines only ever come closer; a later one is ignored.
    void tighten_deadline(SteadyTime deadline) noexcept {
        if (!deadline_ || deadline < *deadline_) {
            deadline_ = deadline;
        }
    }

    [[nodiscard]] TaskLocal* local() const noexcept { return local_.get(); }

    void set_local(std::unique_ptr<TaskLocal> local) noexcept { local_ = std::move(local); }

    /// Where the waits of this task and its children are summed up; null: nowhere.
    [[nodiscard]] const std::shared_ptr<WaitLedger>& waits() const noexcept { return waits_; }

    // Owners: the tasks that write into it and the observer that reads it.
    void set_waits(std::shared_ptr<WaitLedger> waits) noexcept { waits_ = std::move(waits); }

    TaskContext(const TaskContext&) = delete;
    TaskContext& operator=(const TaskContext&) = delete;

    /// Contexts alive in the process; tests use it to prove that none leaks.
    [[nodiscard]] static std::int64_t live_count() noexcept;

private:
    friend class TaskContextPtr;
    TaskContext() noexcept;
    ~TaskContext();

    std::atomic<std::uint32_t> references_{1};
    std::optional<SteadyTime> deadline_;
    std::unique_ptr<TaskLocal> local_;
    std::shared_ptr<WaitLedger> waits_;
};

/// The task whose code this thread runs now, or null outside of tasks. Not inlined on purpose: a
/// compiler may keep the address of a thread_local across a suspension.
[[nodiscard]] TaskContext* current_task() noexcept;

/// Makes a task current on this thread for a scope: around each resumption, in pool threads that
/// work for the task, and in callbacks of C libraries.
class CurrentTaskScope {
public:
    explicit CurrentTaskScope(TaskContext* task) noexcept;
    ~CurrentTaskScope();
    CurrentTaskScope(const CurrentTaskScope&) = delete;
    CurrentTaskScope& operator=(const CurrentTaskScope&) = delete;

private:
    TaskContext* previous_;
};

inline TaskContextPtr::TaskContextPtr(const TaskContextPtr& other) noexcept
    : context_(other.context_) {
    if (context_ != nullptr) {
        context_->references_.fetch_add(1, std::memory_order_relaxed);
    }
}

inline TaskContextPtr::~TaskContextPtr() {
    if (context_ != nullptr && context_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        delete context_;
    }
}

}  // namespace flowspan::async
