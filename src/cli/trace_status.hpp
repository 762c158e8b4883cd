#pragma once
// The books of tracing: where every span of the last processes went.

#include "flowspan/base/result.hpp"
#include "store/span_store.hpp"

#include <cstdint>
#include <string>

namespace flowspan::cli {

/// For people: the store, then each process with one equation a destination.
[[nodiscard]] Result<std::string> render_trace_status(
    store::SpanStore& store, std::int64_t processes
);

/// The same as one JSON object.
[[nodiscard]] Result<std::string> trace_status_json(
    store::SpanStore& store, std::int64_t processes
);

}  // namespace flowspan::cli
