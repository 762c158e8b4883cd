#include "export/sampler.hpp"

#include <fmt/format.h>
#include <opentelemetry/trace/span_context.h>
#include <opentelemetry/trace/trace_state.h>

#include <cstdint>
#include <limits>
#include <string>

namespace sdk = opentelemetry::sdk::trace;
namespace otel = opentelemetry::trace;

namespace flowspan::exporting {

namespace {

constexpr std::uint64_t kKeepAll = std::numeric_limits<std::uint64_t>::max();

// Trace ids whose last eight bytes are below this are kept.
std::uint64_t to_bound(double ratio) noexcept {
    if (ratio >= 1.0) {
        return kKeepAll;
    }
    return ratio > 0.0 ? static_cast<std::uint64_t>(ratio * 0x1p64) : 0;
}

std::uint64_t last_eight_bytes(const otel::TraceId& id) noexcept {
    std::uint64_t number = 0;
    for (std::size_t i = 8; i < otel::TraceId::kSize; ++i) {
        number = (number << 8U) | id.Id()[i];
    }
    return number;
}

opentelemetry::nostd::shared_ptr<otel::TraceState> make_empty_state() {
    return otel::TraceState::FromHeader("");
}

class HeadSampler final : public sdk::Sampler {
public:
    HeadSampler(bool follows_parent, double ratio)
        : follows_parent_(follows_parent),
          bound_(to_bound(ratio)),
          description_(fmt::format("HeadSampler{{parent={},ratio={}}}", follows_parent, ratio)) {}

    // NOLINTNEXTLINE(readability-function-size): the SDK's signature.
    sdk::SamplingResult ShouldSample(
        const otel::SpanContext& parent,
        otel::TraceId trace_id,
        opentelemetry::nostd::string_view /*name*/,
        otel::SpanKind /*kind*/,
        const opentelemetry::common::KeyValueIterable& /*attributes*/,
        const otel::SpanContextKeyValueIterable& /*links*/
    ) noexcept override {
        const bool is_kept = follows_parent_ && parent.IsValid()
                                 ? parent.IsSampled()
                                 : bound_ == kKeepAll || last_eight_bytes(trace_id) < bound_;
        // All spans of a trace hold its state. A root that brings none gets an empty one of its
        // own, since the API's default counts the holders of all traces, on all threads, in one
        // place.
        const auto& given = parent.trace_state();
        const auto state = parent.IsValid() || !given->Empty() ? given : make_empty_state();
        // SDK 1.19 lets a dropped span keep its parent's sampled flag, and gives a record-only span
        // the flag too; neither can be corrected from here.
        return {is_kept ? sdk::Decision::RECORD_AND_SAMPLE : sdk::Decision::DROP, nullptr, state};
    }

    [[nodiscard]] opentelemetry::nostd::string_view GetDescription() const noexcept override {
        return description_;
    }

private:
    const bool follows_parent_;
    const std::uint64_t bound_;
    const std::string description_;
};

}  // namespace

std::unique_ptr<sdk::Sampler> make_sampler(const SamplerConfig& config) {
    switch (config.kind) {
        case SamplerKind::always_on:
            return std::make_unique<HeadSampler>(false, 1.0);
        case SamplerKind::always_off:
            return std::make_unique<HeadSampler>(false, 0.0);
        case SamplerKind::traceidratio:
            return std::make_unique<HeadSampler>(false, config.ratio);
        case SamplerKind::parentbased_always_on:
            return std::make_unique<HeadSampler>(true, 1.0);
        case SamplerKind::parentbased_always_off:
            return std::make_unique<HeadSampler>(true, 0.0);
        case SamplerKind::parentbased_traceidratio:
            return std::make_unique<HeadSampler>(true, config.ratio);
    }
    return std::make_unique<HeadSampler>(true, 1.0);
}

}  // namespace flowspan::exporting
