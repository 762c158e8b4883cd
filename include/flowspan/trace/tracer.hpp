#pragma once
// The tracer of the house, and small helpers to write on spans.

#include "flowspan/base/error.hpp"

#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/trace/span.h>
#include <opentelemetry/trace/tracer.h>
#include <opentelemetry/trace/tracer_provider.h>

#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace flowspan::trace {

using Span = opentelemetry::trace::Span;
using SpanPtr = opentelemetry::nostd::shared_ptr<Span>;

inline constexpr const char* kInstrumentationName = "flowspan";
/// The conventions whose names we use: what they say of GenAI is in no later version of this
/// schema, what they say of HTTP and databases is the same in later ones.
inline constexpr const char* kSchemaUrl = "https://opentelemetry.io/schemas/1.41.0";
/// Of this library.
[[nodiscard]] const char* instrumentation_version() noexcept;

/// Makes `provider` the process's provider and turns instrumentation on; null turns it off. Call it
/// while no task runs.
void set_tracer_provider(
    opentelemetry::nostd::shared_ptr<opentelemetry::trace::TracerProvider> provider
);

/// False means: instrumentation calls straight through. Remote contexts are forwarded all the same.
[[nodiscard]] bool is_tracing_enabled() noexcept;

/// The cached tracer; a no-op one while tracing is off.
[[nodiscard]] opentelemetry::trace::Tracer& tracer();

// Attribute writers; `key` comes from trace/names.hpp. The last write of a key wins.
void set(Span& span, std::string_view key, std::string_view value);
void set(Span& span, std::string_view key, const char* value);
void set(Span& span, std::string_view key, std::int64_t value);
void set(Span& span, std::string_view key, double value);
void set(Span& span, std::string_view key, bool value);
void set(Span& span, std::string_view key, std::span<const std::string> values);
void set(Span& span, std::string_view key, std::span<const double> values);

/// Status error with the failure's own words, `error.type`, and one exception event unless an inner
/// span has it already. `error.detail` stays out.
void record_error(Span& span, Error& error);

/// A failure that somebody handled: `error.type` and the event, no status.
void record_handled_error(Span& span, Error& error);

/// The same as `record_error` for a C++ exception. Cancellation becomes status error with
/// `error.type` `cancelled`, without an event.
void record_exception(Span& span, const std::exception_ptr& exception);

/// Status error, `error.type` `cancelled`, and the reason as description.
void record_cancelled(Span& span, std::string_view reason);

}  // namespace flowspan::trace
