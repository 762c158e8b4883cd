#pragma once
// Trace and span ids: asked for by a caller, or repeatable for tests.

#include <opentelemetry/sdk/trace/id_generator.h>

#include <cstdint>
#include <memory>

namespace flowspan::exporting {

/// The same seed gives the same ids in the same order. Thread-safe.
[[nodiscard]] std::unique_ptr<opentelemetry::sdk::trace::IdGenerator> make_seeded_ids(
    std::uint64_t seed
);

/// Begins a trace with the id that the current context asks for (`trace::with_trace_id`), else as
/// `inner` says.
[[nodiscard]] std::unique_ptr<opentelemetry::sdk::trace::IdGenerator> accept_requested_ids(
    std::unique_ptr<opentelemetry::sdk::trace::IdGenerator> inner
);

}  // namespace flowspan::exporting
