#pragma once
// Log records that belong to a span: what happened too late to stand on it, and the lines of a run.

#include "flowspan/base/json.hpp"
#include "flowspan/trace/redactor.hpp"

#include <opentelemetry/trace/span_context.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace flowspan::trace {

/// OTLP's severity numbers.
enum class LogSeverity : std::uint8_t { trace = 1, debug = 5, info = 9, warn = 13, error = 17 };

struct LogAttribute {
    std::string_view key;  ///< from trace/names.hpp
    /// Structured values go out as they are: whoever gives one has taken the secrets out.
    std::variant<std::string_view, std::int64_t, double, bool, const json::value*> value;
};

/// A view; receivers copy what they keep.
struct LogEvent {
    std::string_view name;  ///< of the event; empty for plain log lines
    LogSeverity severity = LogSeverity::info;
    std::string_view body;
    std::span<const LogAttribute> attributes;
    /// The span it belongs to; invalid: none.
    opentelemetry::trace::SpanContext span = opentelemetry::trace::SpanContext::GetInvalid();
};

/// Takes log records from any thread. Must be quick.
class LogReceiver {
public:
    virtual ~LogReceiver() = default;
    virtual void on_log(const LogEvent& event) noexcept = 0;

    /// For what is logged outside of runs; null: only what is built in.
    [[nodiscard]] virtual const Redactor* find_redactor() const noexcept { return nullptr; }
};

/// `receiver` must live until it is replaced; null: nobody listens. Call while no task runs.
void set_log_receiver(LogReceiver* receiver) noexcept;

/// False: emitting is for nothing.
[[nodiscard]] bool has_log_receiver() noexcept;

/// Hands the event on without the secrets of the running task's run, or of the receiver.
void emit_log(const LogEvent& event) noexcept;

}  // namespace flowspan::trace
