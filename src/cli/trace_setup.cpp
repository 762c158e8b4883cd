#include "cli/trace_setup.hpp"

#include "cli/described_secrets.hpp"
#include "flowspan/export/signals_config.hpp"

#include <iterator>
#include <utility>

namespace flowspan::cli {

namespace {

trace::CaptureMode to_mode(ContentPolicy policy) {
    switch (policy) {
        case ContentPolicy::off:
            return trace::CaptureMode::off;
        case ContentPolicy::full:
            return trace::CaptureMode::full;
        case ContentPolicy::metadata:
            break;
    }
    return trace::CaptureMode::metadata;
}

void apply(const CaptureSettings& settings, trace::ContentModes& modes) {
    using trace::ContentKind;
    const auto set = [&modes](ContentKind kind, const std::optional<ContentPolicy>& policy) {
        if (policy) {
            modes.set(kind, to_mode(*policy));
        }
    };
    set(ContentKind::prompts, settings.prompts);
    set(ContentKind::answers, settings.answers);
    set(ContentKind::inputs, settings.inputs);
    set(ContentKind::outputs, settings.outputs);
    set(ContentKind::documents, settings.documents);
    set(ContentKind::tool_arguments, settings.tool_arguments);
}

trace::ContentRules make_rules(
    trace::ContentModes modes, const std::vector<AppContentSettings>& apps
) {
    trace::ContentRules rules{modes, {}};
    for (const auto& app : apps) {
        auto of_app = app.content ? trace::ContentModes(to_mode(*app.content)) : modes;
        apply(app.capture, of_app);
        rules.apps.push_back({app.app, of_app});
    }
    return rules;
}

/// A destination that says nothing of content sees what everybody sees.
trace::ContentRules content_of(const DestinationSettings& settings, const TraceSettings& common) {
    auto rules = make_content_rules(common);
    if (settings.content) {
        rules = {trace::ContentModes(to_mode(*settings.content)), {}};
    }
    apply(settings.capture, rules.modes);
    auto own = make_rules(rules.modes, settings.apps).apps;
    rules.apps.insert(
        rules.apps.begin(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end())
    );
    return rules;
}

exporting::MessagePlace to_place(MessagePlace place) {
    switch (place) {
        case MessagePlace::event:
            return exporting::MessagePlace::event;
        case MessagePlace::both:
            return exporting::MessagePlace::both;
        case MessagePlace::span:
            break;
    }
    return exporting::MessagePlace::span;
}

exporting::OtlpProtocol to_protocol(OtlpProtocolName name) {
    switch (name) {
        case OtlpProtocolName::http_json:
            return exporting::OtlpProtocol::http_json;
        case OtlpProtocolName::grpc:
            return exporting::OtlpProtocol::grpc;
        case OtlpProtocolName::http_protobuf:
            break;
    }
    return exporting::OtlpProtocol::http_protobuf;
}

}  // namespace

std::vector<Secret> find_secrets(const Config& config) {
    std::vector<Secret> secrets;
    collect_secrets(config, secrets);
    const auto add_headers = [&secrets](const std::vector<exporting::OtlpConfig>& receivers) {
        for (const auto& receiver : receivers) {
            for (const auto& [name, value] : receiver.headers) {
                if (names_credential(name)) {
                    secrets.emplace_back(value);
                }
            }
        }
    };
    const auto signals = exporting::SignalsConfig::from_environment();
    add_headers(exporting::TelemetryConfig::from_environment().otlp);
    add_headers(signals.metrics.otlp);
    add_headers(signals.logs.otlp);
    // `Bearer x` is no secret, `x` is one.
    for (std::size_t i = 0, count = secrets.size(); i < count; ++i) {
        const std::string text = secrets[i].reveal();
        if (const auto blank = text.rfind(' '); blank != std::string::npos) {
            secrets.emplace_back(text.substr(blank + 1));
        }
    }
    return secrets;
}

Result<std::shared_ptr<const trace::Redactor>> make_redactor(const Config& config) {
    auto redactor = trace::Redactor::make(
        {config.redaction.patterns, config.redaction.keys, find_secrets(config)}
    );
    if (!redactor) {
        return failure(std::move(redactor).error().while_doing("reading [redaction]"));
    }
    return redactor;
}

trace::ContentRules make_content_rules(const TraceSettings& settings) {
    trace::ContentModes modes(to_mode(settings.content));
    apply(settings.capture, modes);
    return make_rules(modes, settings.apps);
}

trace::BaggageRules make_baggage_rules(const TraceSettings& settings) {
    const auto rules = trace::parse_baggage_rules(settings.baggage.send);
    return rules ? *rules : trace::BaggageRules{};
}

std::vector<exporting::Destination> make_destinations(const TraceSettings& settings) {
    std::vector<exporting::Destination> destinations;
    for (const auto& item : settings.destinations) {
        exporting::Destination made;
        made.name = item.name;
        made.dialect = item.dialect;
        made.content = content_of(item, settings);
        for (const auto& [name, value] : item.resource) {
            made.resource.push_back({name, value});
        }
        made.otlp.endpoint = item.endpoint;
        made.otlp.protocol = to_protocol(item.protocol);
        for (const auto& [name, value] : item.headers) {
            made.otlp.headers.emplace_back(name, value.reveal());
        }
        made.otlp.timeout = item.timeout;
        made.otlp.is_gzip = item.gzip;
        made.otlp.ca_file = item.ca_file;
        destinations.push_back(std::move(made));
    }
    return destinations;
}

std::unique_ptr<exporting::ContentFolder> make_content_store(const TraceSettings& settings) {
    const auto& folder = settings.content_store;
    if (folder.path.empty()) {
        return nullptr;
    }
    return exporting::make_content_folder(
        {.path = folder.path, .bytes_max = folder.bytes_max, .age_max = folder.age_max},
        real_clock()
    );
}

exporting::TelemetryConfig make_telemetry_config(
    const Config& config, const trace::CapturePolicy& policy
) {
    auto telemetry = exporting::TelemetryConfig::from_environment();
    telemetry.redactor = policy.redactor;
    telemetry.content = make_content_rules(config.trace);
    telemetry.messages_on = to_place(config.trace.messages_on);
    if (!telemetry.is_disabled) {
        telemetry.destinations = make_destinations(config.trace);
    }
    return telemetry;
}

Result<trace::CapturePolicy> make_capture_policy(const Config& config) {
    trace::CapturePolicy policy;
    FLOWSPAN_TRY(policy.redactor, make_redactor(config));
    if (auto baggage = trace::parse_baggage_rules(config.trace.baggage.send); !baggage) {
        return failure(std::move(baggage).error().while_doing("reading [trace.baggage]"));
    }
    policy.readers = {make_content_rules(config.trace)};
    for (const auto& destination : make_destinations(config.trace)) {
        policy.readers.push_back(destination.content);
    }
    policy.content_bytes_max = config.trace.content_bytes_max;
    return policy;
}

}  // namespace flowspan::cli
