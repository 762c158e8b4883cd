#include "export/environment.hpp"

#include <cstdlib>

namespace flowspan::exporting {

namespace {

int hex_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string_view http_path(OtlpSignal signal) noexcept {
    switch (signal) {
        case OtlpSignal::metrics:
            return "/v1/metrics";
        case OtlpSignal::logs:
            return "/v1/logs";
        case OtlpSignal::traces:
            break;
    }
    return "/v1/traces";
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

std::string otlp_endpoint(Environment& environment, OtlpProtocol protocol, OtlpSignal signal) {
    const bool is_grpc = protocol == OtlpProtocol::grpc;
    auto own = environment.own_otlp(signal, "ENDPOINT");
    auto general = environment.text("OTEL_EXPORTER_OTLP_ENDPOINT");
    auto url = own.empty() ? general : own;
    if (url.empty()) {
        url = is_grpc ? "http://localhost:4317" : "http://localhost:4318";
    }
    if (!has_scheme(url)) {
        // Only gRPC knows endpoints without a scheme; TLS is then the rule, to be switched off.
        const bool is_plain =
            !is_grpc || equals_ignore_case(environment.otlp(signal, "INSECURE"), "true");
        url.insert(0, is_plain ? "http://" : "https://");
    }
    if (!is_grpc && own.empty()) {
        while (url.ends_with('/')) {
            url.pop_back();
        }
        return url.append(http_path(signal));
    }
    return !is_grpc && has_no_path(url) ? url + '/' : url;
}

}  // namespace

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

std::string_view signal_name(OtlpSignal signal) noexcept {
    switch (signal) {
        case OtlpSignal::metrics:
            return "METRICS";
        case OtlpSignal::logs:
            return "LOGS";
        case OtlpSignal::traces:
            break;
    }
    return "TRACES";
}

OtlpConfig read_otlp(Environment& environment, OtlpSignal signal) {
    OtlpConfig otlp;
    const auto protocol = environment.otlp(signal, "PROTOCOL");
    if (protocol == "grpc") {
        otlp.protocol = OtlpProtocol::grpc;
    } else if (protocol == "http/json") {
        otlp.protocol = OtlpProtocol::http_json;
    } else if (!protocol.empty() && protocol != "http/protobuf") {
        environment.warn("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "is not known");
    }
    otlp.endpoint = otlp_endpoint(environment, otlp.protocol, signal);
    environment.pairs(
        "OTEL_EXPORTER_OTLP_HEADERS",
        environment.otlp(signal, "HEADERS"),
        [&otlp](std::string name, const std::string& value) {
            otlp.headers.emplace_back(std::move(name), value);
        }
    );
    environment.milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", otlp.timeout);
    environment.milliseconds(
        fmt::format("OTEL_EXPORTER_OTLP_{}_TIMEOUT", signal_name(signal)).c_str(), otlp.timeout
    );
    const auto compression = environment.otlp(signal, "COMPRESSION");
    otlp.is_gzip = compression == "gzip";
    if (!compression.empty() && compression != "gzip" && compression != "none") {
        environment.warn("OTEL_EXPORTER_OTLP_COMPRESSION", compression, "is not known");
    }
    otlp.ca_file = environment.otlp(signal, "CERTIFICATE");
    otlp.client_cert_file = environment.otlp(signal, "CLIENT_CERTIFICATE");
    otlp.client_key_file = environment.otlp(signal, "CLIENT_KEY");
    return otlp;
}

EnvironmentLookup process_environment() {
    return [](const char* name) {
        const char* value = std::getenv(name);
        return value == nullptr ? std::string() : std::string(value);
    };
}

}  // namespace flowspan::exporting
