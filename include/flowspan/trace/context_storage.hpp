#pragma once
// The current OpenTelemetry context belongs to the task, not to the thread.

#include "flowspan/trace/tracer.hpp"

#include <opentelemetry/context/context.h>
#include <opentelemetry/context/runtime_context.h>

#include <cstdint>
#include <optional>

namespace flowspan::trace {

/// Makes the OpenTelemetry API read and write the context stack of the running task (of the thread,
/// outside of tasks). Call once, before any span exists and before other threads run; further calls
/// do nothing.
void install_context_storage();

/// The context that a span started now would get as its parent.
[[nodiscard]] opentelemetry::context::Context current_context();

/// The current context with `span` as its span: what is to be current while the span is.
[[nodiscard]] opentelemetry::context::Context context_with(const SpanPtr& span);

/// Makes a context current in the running task until it is released or goes; it may live across
/// co_await. RuntimeContext::Attach does the same, but counts the owners of the storage at each
/// call, and that counter is one for all threads.
class CurrentContext {
public:
    CurrentContext() = default;
    explicit CurrentContext(opentelemetry::context::Context context);

    ~CurrentContext() { release(); }

    CurrentContext(CurrentContext&& other) noexcept;
    CurrentContext& operator=(CurrentContext&& other) noexcept;

    void release() noexcept;

private:
    std::optional<opentelemetry::context::Context> pushed_;  // in the task's storage
    opentelemetry::nostd::unique_ptr<opentelemetry::context::Token> token_;  // or in another one
};

/// Scopes that were still open when their task ended, since the process started. Always a bug in
/// whoever opened them; harmless to other tasks.
[[nodiscard]] std::uint64_t leaked_scope_count() noexcept;

}  // namespace flowspan::trace
