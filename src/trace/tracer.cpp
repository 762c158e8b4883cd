#include "flowspan/trace/tracer.hpp"

#include "flowspan/async/task.hpp"
#include "flowspan/trace/names.hpp"

#include <cxxabi.h>
#include <opentelemetry/trace/noop.h>
#include <opentelemetry/trace/provider.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <typeinfo>
#include <utility>
#include <vector>

namespace nostd = opentelemetry::nostd;
namespace otel = opentelemetry::trace;

namespace flowspan::trace {

namespace {

std::atomic<bool> g_is_enabled{false};

nostd::shared_ptr<otel::Tracer>& tracer_slot() {
    // Owned as what it is: it asks for itself when it starts a span.
    static nostd::shared_ptr<otel::Tracer> slot(
        std::static_pointer_cast<otel::Tracer>(std::make_shared<otel::NoopTracer>())
    );
    return slot;
}

nostd::string_view view(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

std::string demangle(const char* name) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free
    );
    return status == 0 ? text.get() : name;
}

struct ExceptionFacts {
    std::string type = "unknown";
    std::string message;
};

ExceptionFacts describe(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        return {demangle(typeid(error).name()), error.what()};
    } catch (...) {
        return {};
    }
}

void set_failed(Span& span, std::string_view type, std::string_view description) {
    span.SetStatus(otel::StatusCode::kError, view(description));
    set(span, names::kErrorType, type);
}

void add_exception_event(Span& span, std::string_view type, std::string_view message) {
    span.AddEvent(
        names::kExceptionEvent,
        {{names::kExceptionType, view(type)}, {names::kExceptionMessage, view(message)}}
    );
}

}  // namespace

void set_tracer_provider(nostd::shared_ptr<otel::TracerProvider> provider) {
    const bool is_enabled = provider != nullptr;
    if (!is_enabled) {
        provider = nostd::shared_ptr<otel::TracerProvider>(new otel::NoopTracerProvider());
    }
    tracer_slot() =
        provider->GetTracer(kInstrumentationName, instrumentation_version(), kSchemaUrl);
    otel::Provider::SetTracerProvider(provider);
    g_is_enabled.store(is_enabled, std::memory_order_release);
}

const char* instrumentation_version() noexcept {
    return FLOWSPAN_VERSION;
}

bool is_tracing_enabled() noexcept {
    return g_is_enabled.load(std::memory_order_relaxed);
}

otel::Tracer& tracer() {
    return *tracer_slot();
}

void set(Span& span, std::string_view key, std::string_view value) {
    span.SetAttribute(view(key), view(value));
}

void set(Span& span, std::string_view key, const char* value) {
    set(span, key, std::string_view(value));
}

void set(Span& span, std::string_view key, std::int64_t value) {
    span.SetAttribute(view(key), value);
}

void set(Span& span, std::string_view key, double value) {
    span.SetAttribute(view(key), value);
}

void set(Span& span, std::string_view key, bool value) {
    span.SetAttribute(view(key), value);
}

void set(Span& span, std::string_view key, std::span<const std::string> values) {
    std::vector<nostd::string_view> views;
    views.reserve(values.size());
    for (const auto& value : values) {
        views.push_back(view(value));
    }
    span.SetAttribute(view(key), nostd::span<const nostd::string_view>(views.data(), views.size()));
}

void set(Span& span, std::string_view key, std::span<const double> values) {
    span.SetAttribute(view(key), nostd::span<const double>(values.data(), values.size()));
}

void record_error(Span& span, Error& error) {
    const std::string_view type = error.type.empty() ? to_string(error.code) : error.type;
    const auto text = error.describe();
    set_failed(span, type, text);
    if (!std::exchange(error.is_recorded, true)) {
        add_exception_event(span, type, text);
    }
}

void record_handled_error(Span& span, Error& error) {
    const std::string_view type = error.type.empty() ? to_string(error.code) : error.type;
    set(span, names::kErrorType, type);
    if (!std::exchange(error.is_recorded, true)) {
        add_exception_event(span, type, error.describe());
    }
}

void record_exception(Span& span, const std::exception_ptr& exception) {
    if (async::is_cancelled(exception)) {
        record_cancelled(span, "cancelled");
        return;
    }
    const auto facts = describe(exception);
    set_failed(span, facts.type, facts.message);
    add_exception_event(span, facts.type, facts.message);
}

void record_cancelled(Span& span, std::string_view reason) {
    set_failed(span, "cancelled", reason);
}

}  // namespace flowspan::trace
