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

constexpr std::string_view kHttpTracesPath = "/v1/traces";

int hex_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// A stray % stays as it is.
std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 &&
            hex_digit(text[at + 2]) >= 0) {
            decoded += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
            at += 2;
        } else {
            decoded += text[at];
        }
    }
    return decoded;
}

// Reads variables; what cannot be used leaves the default and a warning, as the specification asks.
class Environment {
public:
    Environment(const EnvironmentLookup& lookup, std::vector<std::string>& warnings)
        : lookup_(lookup), warnings_(warnings) {}

    // Empty counts as unset.
    [[nodiscard]] std::string text(const char* name) const {
        return std::string(trim(lookup_(name)));
    }

    // The signal's own variable wins over the general one.
    [[nodiscard]] std::string otlp(std::string_view suffix) const {
        auto value = text(fmt::format("OTEL_EXPORTER_OTLP_TRACES_{}", suffix).c_str());
        return value.empty() ? text(fmt::format("OTEL_EXPORTER_OTLP_{}", suffix).c_str()) : value;
    }

    [[nodiscard]] bool flag(const char* name) {
        const auto value = text(name);
        if (!value.empty() && !equals_ignore_case(value, "true") &&
            !equals_ignore_case(value, "false")) {
            warn(name, value, "is neither true nor false");
        }
        return equals_ignore_case(value, "true");
    }

    void size(const char* name, std::size_t minimum, std::size_t& target) {
        const auto value = text(name);
        if (value.empty()) {
            return;
        }
        std::size_t number = 0;
        const auto end = value.data() + value.size();
        const auto [stop, code] = std::from_chars(value.data(), end, number);
        if (code != std::errc() || stop != end || number < minimum) {
            warn(name, value, fmt::format("is no whole number from {}", minimum));
            return;
        }
        target = number;
    }

    void milliseconds(const char* name, std::chrono::milliseconds& target) {
        // A day is longer than any sensible timeout, and far from overflowing a clock.
        constexpr std::size_t kDay = 86'400'000;
        auto number = static_cast<std::size_t>(target.count());
        size(name, 0, number);
        target = std::chrono::milliseconds(std::min(number, kDay));
    }

    void pairs(
        std::string_view what,
        std::string_view list,
        const std::function<void(std::string name, const std::string& value)>& take
    ) {
        for (const auto item : split(list, ',')) {
            if (trim(item).empty()) {
                continue;
            }
            const auto at = item.find('=');
            const auto name = trim(item.substr(0, at));
            if (at == std::string_view::npos || name.empty()) {
                warnings_.push_back(fmt::format("{} holds an entry that is not key=value", what));
                continue;
            }
            take(percent_decoded(name), percent_decoded(trim(item.substr(at + 1))));
        }
    }

    void warn(std::string_view name, std::string_view value, std::string_view problem) {
        warnings_.push_back(fmt::format("{}={} {}; ignored", name, value, problem));
    }

private:
    const EnvironmentLookup& lookup_;
    std::vector<std::string>& warnings_;
};

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

bool has_scheme(std::string_view url) noexcept {
    return url.find("://") != std::string_view::npos;
}

// True if nothing but the authority stands there.
bool has_no_path(std::string_view url) noexcept {
    const auto scheme = url.find("://");
    const auto authority = scheme == std::string_view::npos ? 0 : scheme + 3;
    return url.find('/', authority) == std::string_view::npos;
}

std::string otlp_endpoint(Environment& environment, OtlpProtocol protocol) {
    const bool is_grpc = protocol == OtlpProtocol::grpc;
    auto own = environment.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    auto general = environment.text("OTEL_EXPORTER_OTLP_ENDPOINT");
    auto url = own.empty() ? general : own;
    if (url.empty()) {
        url = is_grpc ? "http://localhost:4317" : "http://localhost:4318";
    }
    if (!has_scheme(url)) {
        // Only gRPC knows endpoints without a scheme; TLS is then the rule, to be switched off.
        const bool is_plain = !is_grpc || equals_ignore_case(environment.otlp("INSECURE"), "true");
        url.insert(0, is_plain ? "http://" : "https://");
    }
    if (!is_grpc && own.empty()) {
        while (url.ends_with('/')) {
            url.pop_back();
        }
        return url.append(kHttpTracesPath);
    }
    return !is_grpc && has_no_path(url) ? url + '/' : url;
}

OtlpConfig read_otlp(Environment& environment) {
    OtlpConfig otlp;
    const auto protocol = environment.otlp("PROTOCOL");
    if (protocol == "grpc") {
        otlp.protocol = OtlpProtocol::grpc;
    } else if (protocol == "http/json") {
        otlp.protocol = OtlpProtocol::http_json;
    } else if (!protocol.empty() && protocol != "http/protobuf") {
        environment.warn("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "is not known");
    }
    otlp.endpoint = otlp_endpoint(environment, otlp.protocol);
    environment.pairs(
        "OTEL_EXPORTER_OTLP_HEADERS",
        environment.otlp("HEADERS"),
        [&otlp](std::string name, const std::string& value) {
            otlp.headers.emplace_back(std::move(name), value);
        }
    );
    environment.milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", otlp.timeout);
    environment.milliseconds("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", otlp.timeout);
    const auto compression = environment.otlp("COMPRESSION");
    otlp.is_gzip = compression == "gzip";
    if (!compression.empty() && compression != "gzip" && compression != "none") {
        environment.warn("OTEL_EXPORTER_OTLP_COMPRESSION", compression, "is not known");
    }
    otlp.ca_file = environment.otlp("CERTIFICATE");
    otlp.client_cert_file = environment.otlp("CLIENT_CERTIFICATE");
    otlp.client_key_file = environment.otlp("CLIENT_KEY");
    return otlp;
}

void read_exporters(Environment& environment, TelemetryConfig& config) {
    const bool has_endpoint = !environment.otlp("ENDPOINT").empty();
    auto names = environment.text("OTEL_TRACES_EXPORTER");
    if (names.empty()) {
        names = has_endpoint ? "otlp" : "none";
    }
    for (const auto item : split(names, ',')) {
        const auto name = trim(item);
        if (name == "otlp") {
            config.otlp.push_back(read_otlp(environment));
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
    return from_environment([](const char* name) {
        const char* value = std::getenv(name);
        return value == nullptr ? std::string() : std::string(value);
    });
}

}  // namespace flowspan::exporting
