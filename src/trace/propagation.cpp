#include "flowspan/trace/propagation.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/trace/context_storage.hpp"

#include <opentelemetry/baggage/propagation/baggage_propagator.h>
#include <opentelemetry/context/propagation/composite_propagator.h>
#include <opentelemetry/context/propagation/global_propagator.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/default_span.h>
#include <opentelemetry/trace/noop.h>
#include <opentelemetry/trace/propagation/b3_propagator.h>
#include <opentelemetry/trace/propagation/http_trace_context.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace context = opentelemetry::context;
namespace nostd = opentelemetry::nostd;
namespace otel = opentelemetry::trace;
using context::propagation::TextMapPropagator;

namespace flowspan::trace {

namespace {

// The specification asks to cap what is handed to the (regex based) tracestate parser.
constexpr std::size_t kHeaderBytesMax = 8192;

class OutgoingCarrier final : public context::propagation::TextMapCarrier {
public:
    explicit OutgoingCarrier(const std::function<void(std::string_view, std::string_view)>& set)
        : set_(set) {}

    nostd::string_view Get(nostd::string_view /*key*/) const noexcept override { return {}; }

    void Set(nostd::string_view key, nostd::string_view value) noexcept override {
        set_({key.data(), key.size()}, {value.data(), value.size()});
    }

private:
    const std::function<void(std::string_view, std::string_view)>& set_;
};

class IncomingCarrier final : public context::propagation::TextMapCarrier {
public:
    explicit IncomingCarrier(const std::function<std::string_view(std::string_view)>& get)
        : get_(get) {}

    nostd::string_view Get(nostd::string_view key) const noexcept override {
        const auto value = get_(to_lower_ascii({key.data(), key.size()}));
        return value.size() > kHeaderBytesMax ? nostd::string_view()
                                              : nostd::string_view(value.data(), value.size());
    }

    void Set(nostd::string_view /*key*/, nostd::string_view /*value*/) noexcept override {}

private:
    const std::function<std::string_view(std::string_view)>& get_;
};

std::unique_ptr<TextMapPropagator> make_propagator(std::string_view name) {
    if (name == "tracecontext") {
        return std::make_unique<otel::propagation::HttpTraceContext>();
    }
    if (name == "baggage") {
        return std::make_unique<opentelemetry::baggage::propagation::BaggagePropagator>();
    }
    if (name == "b3") {
        return std::make_unique<otel::propagation::B3Propagator>();
    }
    if (name == "b3multi") {
        return std::make_unique<otel::propagation::B3PropagatorMultiHeader>();
    }
    return nullptr;
}

nostd::shared_ptr<TextMapPropagator> make_composite(std::string_view names) {
    std::vector<std::unique_ptr<TextMapPropagator>> parts;
    for (const auto name : split(names, ',')) {
        if (auto part = make_propagator(trim(name))) {
            parts.push_back(std::move(part));
        }
    }
    return nostd::shared_ptr<TextMapPropagator>(
        new context::propagation::CompositePropagator(std::move(parts))
    );
}

nostd::shared_ptr<TextMapPropagator>& propagator_slot() {
    static auto slot = make_composite("tracecontext,baggage");
    return slot;
}

// SDK 1.19 leaves the flag of its sampled parent on a span that the sampler dropped; whoever is
// called must not record for a trace that we do not.
context::Context with_true_flags(const context::Context& source) {
    const auto span = otel::GetSpan(source);
    const auto current = span->GetContext();
    if (!current.IsSampled() || dynamic_cast<const otel::NoopSpan*>(span.get()) == nullptr) {
        return source;
    }
    const auto flags = static_cast<std::uint8_t>(
        current.trace_flags().flags() & ~unsigned{otel::TraceFlags::kIsSampled}
    );
    const otel::SpanContext corrected(
        current.trace_id(),
        current.span_id(),
        otel::TraceFlags(flags),
        current.IsRemote(),
        current.trace_state()
    );
    auto copy = source;
    return otel::SetSpan(copy, nostd::shared_ptr<otel::Span>(new otel::DefaultSpan(corrected)));
}

constexpr char kTraceIdKey[] = "flowspan-trace-id";

int hex_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool has_uuid_dashes(std::string_view text) noexcept {
    return text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
           text[23] == '-';
}

}  // namespace

void inject(const std::function<void(std::string_view, std::string_view)>& set) {
    inject(current_context(), set);
}

void inject(
    const context::Context& source,
    const std::function<void(std::string_view, std::string_view)>& set
) {
    OutgoingCarrier carrier(set);
    propagator_slot()->Inject(carrier, with_true_flags(source));
}

context::Context extract(const std::function<std::string_view(std::string_view)>& get) {
    const IncomingCarrier carrier(get);
    context::Context root;
    auto extracted = propagator_slot()->Extract(carrier, root);
    if (otel::GetSpan(extracted)->GetContext().IsValid()) {
        return extracted;
    }
    otel::propagation::B3PropagatorMultiHeader b3;
    return b3.Extract(carrier, extracted);
}

void inject(Carrier& headers) {
    inject([&headers](std::string_view name, std::string_view value) {
        headers.insert_or_assign(std::string(name), std::string(value));
    });
}

context::Context extract(const Carrier& headers) {
    return extract([&headers](std::string_view name) -> std::string_view {
        for (const auto& [key, value] : headers) {
            if (equals_ignore_case(key, name)) {
                return value;
            }
        }
        return {};
    });
}

std::optional<otel::TraceId> parse_trace_id(std::string_view text) {
    std::string digits(text);
    if (has_uuid_dashes(text)) {
        std::erase(digits, '-');
    }
    std::array<std::uint8_t, otel::TraceId::kSize> bytes{};
    if (digits.size() != 2 * bytes.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int high = hex_digit(digits[2 * i]);
        const int low = hex_digit(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    const otel::TraceId id(
        nostd::span<const std::uint8_t, otel::TraceId::kSize>(bytes.data(), bytes.size())
    );
    return id.IsValid() ? std::optional(id) : std::nullopt;
}

context::Context with_trace_id(context::Context context, const otel::TraceId& id) {
    // The values that a context can hold are few; a span context without a span id is one of them.
    return context.SetValue(
        kTraceIdKey,
        nostd::shared_ptr<otel::SpanContext>(
            new otel::SpanContext(id, otel::SpanId(), otel::TraceFlags(), false)
        )
    );
}

std::optional<otel::TraceId> requested_trace_id() {
    const auto value = current_context().GetValue(kTraceIdKey);
    const auto* held = nostd::get_if<nostd::shared_ptr<otel::SpanContext>>(&value);
    return held == nullptr ? std::nullopt : std::optional((*held)->trace_id());
}

void set_propagators(std::string_view comma_separated) {
    propagator_slot() = make_composite(comma_separated);
    context::propagation::GlobalTextMapPropagator::SetGlobalPropagator(propagator_slot());
}

}  // namespace flowspan::trace
