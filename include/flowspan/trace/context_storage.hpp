#pragma once
// The current OpenTelemetry context belongs to the task, not to the thread.

#include <opentelemetry/context/context.h>

#include <cstdint>

namespace flowspan::trace {

/// Makes the OpenTelemetry API read and write the context stack of the running task (of the thread,
/// outside of tasks). Call once, before any span exists and before other threads run; further calls
/// do nothing.
void install_context_storage();

/// The context that a span started now would get as its parent.
[[nodiscard]] opentelemetry::context::Context current_context();

/// Scopes that were still open when their task ended, since the process started. Always a bug in
/// whoever opened them; harmless to other tasks.
[[nodiscard]] std::uint64_t leaked_scope_count() noexcept;

}  // namespace flowspan::trace
