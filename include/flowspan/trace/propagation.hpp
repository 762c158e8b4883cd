#pragma once
// Trace context in and out of a process: headers of requests and jobs.

#include <opentelemetry/context/context.h>
#include <opentelemetry/trace/trace_id.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
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

/// The headers of a job, by name.
using Carrier = std::map<std::string, std::string, std::less<>>;

/// Adds the current context's headers to a job's; another process goes on with `extract`.
void inject(Carrier& headers);

/// Names in any case.
[[nodiscard]] opentelemetry::context::Context extract(const Carrier& headers);

/// The 16 bytes that an external trace id stands for, if it stands for some: 32 hexadecimal digits,
/// or a UUID.
[[nodiscard]] std::optional<opentelemetry::trace::TraceId> parse_trace_id(std::string_view text);

/// Under the returned context a span without a parent begins the trace with this id.
[[nodiscard]] opentelemetry::context::Context with_trace_id(
    opentelemetry::context::Context context, const opentelemetry::trace::TraceId& id
);

/// What `with_trace_id` put into the current context, for the generator of ids.
[[nodiscard]] std::optional<opentelemetry::trace::TraceId> requested_trace_id();

/// Which headers are used, by their OTEL_PROPAGATORS names: `tracecontext`, `baggage`, `b3`,
/// `b3multi`, `none`. Unknown names are ignored. Default: tracecontext,baggage; B3 is always
/// accepted on the way in. Call before tasks run.
void set_propagators(std::string_view comma_separated);

}  // namespace flowspan::trace
