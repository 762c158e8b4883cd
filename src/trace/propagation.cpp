#include "flowspan/trace/propagation.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/trace/context_storage.hpp"

#include <opentelemetry/baggage/propagation/baggage_propagator.h>
#include <opentelemetry/context/propagation/composite_propagator.h>
#include <opentelemetry/context/propagation/global_propagator.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/propagation/b3_propagator.h>
#include <opentelemetry/trace/propagation/http_trace_context.h>

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

}  // namespace

void inject(const std::function<void(std::string_view, std::string_view)>& set) {
    inject(current_context(), set);
}

void inject(
    const context::Context& source,
    const std::function<void(std::string_view, std::string_view)>& set
) {
    OutgoingCarrier carrier(set);
    propagator_slot()->Inject(carrier, source);
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

void set_propagators(std::string_view comma_separated) {
    propagator_slot() = make_composite(comma_separated);
    context::propagation::GlobalTextMapPropagator::SetGlobalPropagator(propagator_slot());
}

}  // namespace flowspan::trace
