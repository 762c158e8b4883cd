#include "trace/log_lines.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/log_event.hpp"

#include <opentelemetry/trace/context.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <array>
#include <memory>
#include <string_view>

namespace flowspan::trace {

namespace {

opentelemetry::trace::SpanContext current_span() {
    return opentelemetry::trace::GetSpan(current_context())->GetContext();
}

template <class Id>
void append_hex(spdlog::memory_buf_t& out, std::string_view name, const Id& id) {
    std::array<char, 2 * Id::kSize> digits{};
    id.ToLowerBase16(digits);
    out.append(name);
    out.append(std::string_view(digits.data(), digits.size()));
}

class SpanFlag final : public spdlog::custom_flag_formatter {
public:
    void format(
        const spdlog::details::log_msg& /*message*/,
        const std::tm& /*time*/,
        spdlog::memory_buf_t& out
    ) override {
        const auto span = current_span();
        if (span.IsValid()) {
            append_hex(out, " [trace_id=", span.trace_id());
            append_hex(out, " span_id=", span.span_id());
            out.push_back(']');
        }
    }

    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<SpanFlag>();
    }
};

LogSeverity severity_of(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::trace:
            return LogSeverity::trace;
        case spdlog::level::debug:
            return LogSeverity::debug;
        case spdlog::level::warn:
            return LogSeverity::warn;
        case spdlog::level::err:
        case spdlog::level::critical:
            return LogSeverity::error;
        default:
            return LogSeverity::info;
    }
}

// Receivers lock themselves.
class EventSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        LogEvent event;
        event.severity = severity_of(message.level);
        event.body = {message.payload.data(), message.payload.size()};
        event.span = current_span();
        emit_log(event);
    }

    void flush_() override {}
};

}  // namespace

std::unique_ptr<spdlog::custom_flag_formatter> make_span_flag() {
    return std::make_unique<SpanFlag>();
}

spdlog::sink_ptr make_log_event_sink() {
    return std::make_shared<EventSink>();
}

}  // namespace flowspan::trace
