#pragma once
// Trace context in and out of a process: headers of requests and jobs.

#include <opentelemetry/context/context.h>

#include <functional>
#include <string_view>

namespace flowspan::trace {

/// Writes the current context's headers (`traceparent`, `tracestate`, `baggage`) through `set`.
/// Also works while tracing is off, so that a remote caller's context is forwarded.
void inject(const std::function<void(std::string_view name, std::string_view value)>& set);

/// The same for a given context.
void inject(
    const opentelemetry::context::Context& context,
    const std::function<void(std::string_view name, std::string_view value)>& set
);

/// Reads headers through `get` (lower-case names; empty when absent). Without a valid header the
/// result has no parent span.
[[nodiscard]] opentelemetry::context::Context extract(
    const std::function<std::string_view(std::string_view name)>& get
);

/// Which headers are used, by their OTEL_PROPAGATORS names: `tracecontext`, `baggage`, `b3`,
/// `b3multi`, `none`. Unknown names are ignored. Default: tracecontext,baggage; B3 is always
/// accepted on the way in. Call before tasks run.
void set_propagators(std::string_view comma_separated);

}  // namespace flowspan::trace
