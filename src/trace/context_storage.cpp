#include "flowspan/trace/context_storage.hpp"

#include "flowspan/async/task_context.hpp"
#include "flowspan/trace/run_scope.hpp"

#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/trace/context.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace context = opentelemetry::context;
namespace nostd = opentelemetry::nostd;

namespace flowspan::trace {

namespace {

std::atomic<std::uint64_t> g_leaked_scopes{0};
std::atomic<bool> g_is_installed{false};

// A run's task has about this many: its app, its runner, its workflow.
constexpr std::size_t kUsualDepth = 4;

/// Attached contexts of one task, or of one thread outside of tasks; the last one is current.
class ContextStack final : public async::TaskLocal {
public:
    ContextStack() = default;

    /// A child's stack: what is current for its parent is current at first, and is nobody's open
    /// scope.
    ContextStack(const std::vector<context::Context>& parent, RunScopePtr scope)
        : scope_(std::move(scope)) {
        if (!parent.empty()) {
            base_count_ = 1;
            contexts_.reserve(kUsualDepth);
            contexts_.push_back(parent.back());
        }
    }

    ~ContextStack() override {
        if (contexts_.size() > base_count_) {
            g_leaked_scopes.fetch_add(contexts_.size() - base_count_, std::memory_order_relaxed);
        }
    }

    [[nodiscard]] std::unique_ptr<TaskLocal> fork() const override {
        return contexts_.empty() && scope_ == nullptr
                   ? nullptr
                   : std::make_unique<ContextStack>(contexts_, scope_);
    }

    [[nodiscard]] context::Context current() const {
        return contexts_.empty() ? context::Context{} : contexts_.back();
    }

    void push(const context::Context& added) {
        if (contexts_.capacity() == 0) {
            contexts_.reserve(kUsualDepth);
        }
        contexts_.push_back(added);
    }

    // Like the default storage: closing an outer scope first also closes the inner ones.
    template <class Attached>
    bool pop(const Attached& attached) {
        for (auto at = contexts_.size(); at > base_count_; --at) {
            if (attached == contexts_[at - 1]) {
                contexts_.resize(at - 1);
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] const RunScopePtr& scope() const noexcept { return scope_; }

    RunScopePtr exchange_scope(RunScopePtr scope) noexcept {
        return std::exchange(scope_, std::move(scope));
    }

private:
    std::size_t base_count_ = 0;
    std::vector<context::Context> contexts_;
    RunScopePtr scope_;
};

ContextStack& thread_stack() {
    thread_local ContextStack stack;
    return stack;
}

ContextStack* find_stack() noexcept {
    auto* task = async::current_task();
    // Only this file sets a task's local state.
    return task == nullptr ? &thread_stack() : static_cast<ContextStack*>(task->local());
}

ContextStack& get_stack() {
    if (auto* stack = find_stack()) {
        return *stack;
    }
    auto created = std::make_unique<ContextStack>();
    auto& stack = *created;
    async::current_task()->set_local(std::move(created));
    return stack;
}

context::Context current_in_task() {
    const auto* stack = find_stack();
    return stack == nullptr ? context::Context{} : stack->current();
}

class TaskContextStorage final : public context::RuntimeContextStorage {
public:
    context::Context GetCurrent() noexcept override { return current_in_task(); }

    nostd::unique_ptr<context::Token> Attach(const context::Context& attached) noexcept override {
        get_stack().push(attached);
        return CreateToken(attached);
    }

    bool Detach(context::Token& token) noexcept override {
        auto* stack = find_stack();
        return stack != nullptr && stack->pop(token);
    }
};

}  // namespace

void install_context_storage() {
    static const bool kInstalled = [] {
        context::RuntimeContext::SetRuntimeContextStorage(
            nostd::shared_ptr<context::RuntimeContextStorage>(new TaskContextStorage())
        );
        g_is_installed.store(true, std::memory_order_release);
        return true;
    }();
    static_cast<void>(kInstalled);
}

context::Context current_context() {
    return g_is_installed.load(std::memory_order_acquire) ? current_in_task()
                                                          : context::RuntimeContext::GetCurrent();
}

context::Context context_with(const SpanPtr& span) {
    auto current = current_context();
    return opentelemetry::trace::SetSpan(current, span);
}

CurrentContext::CurrentContext(context::Context context) {
    if (g_is_installed.load(std::memory_order_acquire)) {
        get_stack().push(context);
        pushed_.emplace(std::move(context));
    } else {
        token_ = context::RuntimeContext::Attach(context);
    }
}

CurrentContext::CurrentContext(CurrentContext&& other) noexcept
    : pushed_(std::exchange(other.pushed_, std::nullopt)), token_(std::move(other.token_)) {}

CurrentContext& CurrentContext::operator=(CurrentContext&& other) noexcept {
    if (this != &other) {
        release();
        pushed_ = std::exchange(other.pushed_, std::nullopt);
        token_ = std::move(other.token_);
    }
    return *this;
}

void CurrentContext::release() noexcept {
    if (const auto pushed = std::exchange(pushed_, std::nullopt)) {
        if (auto* stack = find_stack()) {
            stack->pop(*pushed);
        }
    }
    token_.reset();
}

RunScopePtr current_run_scope() noexcept {
    const auto* stack = find_stack();
    return stack == nullptr ? nullptr : stack->scope();
}

CurrentRunScope::CurrentRunScope(RunScopePtr scope)
    : previous_(get_stack().exchange_scope(std::move(scope))) {}

CurrentRunScope::~CurrentRunScope() {
    get_stack().exchange_scope(std::move(previous_));
}

std::uint64_t leaked_scope_count() noexcept {
    return g_leaked_scopes.load(std::memory_order_relaxed);
}

}  // namespace flowspan::trace
