#include "export/environment.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/export/telemetry_config.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace flowspan::exporting {

namespace {

void read_resource(Environment& environment, TelemetryConfig& config) {
    environment.pairs(
        "OTEL_RESOURCE_ATTRIBUTES",
        environment.text("OTEL_RESOURCE_ATTRIBUTES"),
        [&config](std::string name, const std::string& value) {
            config.resource.push_back({std::move(name), to_valid_utf8(value)});
        }
    );
    if (auto name = environment.text("OTEL_SERVICE_NAME"); !name.empty()) {
        config.resource.push_back({trace::names::kServiceName, to_valid_utf8(name)});
    }
}

void read_sampler(Environment& environment, TelemetryConfig& config) {
    static constexpr std::array<std::pair<std::string_view, SamplerKind>, 6> kKinds = {{
        {"always_on", SamplerKind::always_on},
        {"always_off", SamplerKind::always_off},
        {"traceidratio", SamplerKind::traceidratio},
        {"parentbased_always_on", SamplerKind::parentbased_always_on},
        {"parentbased_always_off", SamplerKind::parentbased_always_off},
        {"parentbased_traceidratio", SamplerKind::parentbased_traceidratio},
    }};
    const auto name = environment.text("OTEL_TRACES_SAMPLER");
    const auto* found =
        std::ranges::find(kKinds, name, [](const auto& kind) { return kind.first; });
    if (found != kKinds.end()) {
        config.sampler.kind = found->second;
    } else if (!name.empty()) {
        environment.warn("OTEL_TRACES_SAMPLER", name, "is not known");
    }
    const bool has_ratio = config.sampler.kind == SamplerKind::traceidratio ||
                           config.sampler.kind == SamplerKind::parentbased_traceidratio;
    const auto text = environment.text("OTEL_TRACES_SAMPLER_ARG");
    if (!has_ratio || text.empty()) {
        return;
    }
    double ratio = 0;
    const auto end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, ratio);
    if (code != std::errc() || stop != end || !(ratio >= 0.0 && ratio <= 1.0)) {
        environment.warn("OTEL_TRACES_SAMPLER_ARG", text, "is no number from 0 to 1");
        return;
    }
    config.sampler.ratio = ratio;
}

void read_limits(Environment& environment, SpanLimits& limits) {
    environment.size("OTEL_ATTRIBUTE_COUNT_LIMIT", 0, limits.attributes_max);
    limits.event_attributes_max = limits.attributes_max;
    limits.link_attributes_max = limits.attributes_max;
    environment.size("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", 0, limits.attributes_max);
    environment.size("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", 0, limits.event_attributes_max);
    environment.size("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", 0, limits.link_attributes_max);
    environment.size("OTEL_SPAN_EVENT_COUNT_LIMIT", 0, limits.events_max);
    environment.size("OTEL_SPAN_LINK_COUNT_LIMIT", 0, limits.links_max);
    environment.size("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", 1, limits.value_length_max);
    environment.size("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", 1, limits.value_length_max);
}

void read_batch(Environment& environment, BatchConfig& batch) {
    environment.milliseconds("OTEL_BSP_SCHEDULE_DELAY", batch.schedule_delay);
    environment.size("OTEL_BSP_MAX_QUEUE_SIZE", 1, batch.queue_spans_max);
    environment.size("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, batch.batch_spans_max);
    batch.batch_spans_max = std::min(batch.batch_spans_max, batch.queue_spans_max);
}

void read_exporters(Environment& environment, TelemetryConfig& config) {
    const bool has_endpoint = !environment.otlp(OtlpSignal::traces, "ENDPOINT").empty();
    auto names = environment.text("OTEL_TRACES_EXPORTER");
    if (names.empty()) {
        names = has_endpoint ? "otlp" : "none";
    }
    for (const auto item : split(names, ',')) {
        const auto name = trim(item);
        if (name == "otlp") {
            config.otlp.push_back(read_otlp(environment, OtlpSignal::traces));
        } else if (name == "console") {
            config.is_console = true;
        } else if (!name.empty() && name != "none") {
            environment.warn("OTEL_TRACES_EXPORTER", name, "is not known");
        }
    }
}

}  // namespace

TelemetryConfig TelemetryConfig::from_environment(const EnvironmentLookup& lookup) {
    TelemetryConfig config;
    Environment environment(lookup, config.warnings);
    config.is_disabled = environment.flag("OTEL_SDK_DISABLED");
    if (auto propagators = environment.text("OTEL_PROPAGATORS"); !propagators.empty()) {
        config.propagators = std::move(propagators);
    }
    if (config.is_disabled) {
        return config;
    }
    read_resource(environment, config);
    read_sampler(environment, config);
    read_limits(environment, config.limits);
    read_batch(environment, config.batch);
    read_exporters(environment, config);
    return config;
}

TelemetryConfig TelemetryConfig::from_environment() {
    return from_environment(process_environment());
}

}  // namespace flowspan::exporting
