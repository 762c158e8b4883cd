#pragma once
// Repeatable trace and span ids, for tests.

#include <opentelemetry/sdk/trace/id_generator.h>

#include <cstdint>
#include <memory>

namespace flowspan::exporting {

/// The same seed gives the same ids in the same order. Thread-safe.
[[nodiscard]] std::unique_ptr<opentelemetry::sdk::trace::IdGenerator> make_seeded_ids(
    std::uint64_t seed
);

}  // namespace flowspan::exporting
