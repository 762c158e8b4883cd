#include "flowspan/export/provider.hpp"

#include "export/inference_events.hpp"
#include "export/otlp_file_sink.hpp"
#include "export/otlp_sink.hpp"
#include "export/process_resource.hpp"
#include "export/redelivery.hpp"
#include "export/sampler.hpp"
#include "export/sdk_log.hpp"
#include "export/shaped_sink.hpp"
#include "export/span_pipeline.hpp"
#include "export/store_sink.hpp"
#include "export/trace_ids.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/propagation.hpp"
#include "flowspan/trace/tracer.hpp"

#include <fmt/format.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/random_id_generator_factory.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

namespace sdk = opentelemetry::sdk::trace;

namespace flowspan::exporting {

namespace {

// Books, metrics and the store know receivers by their names.
Result<void> check_names(std::span<const std::shared_ptr<SpanSink>> sinks) {
    std::set<std::string_view> names;
    for (const auto& sink : sinks) {
        if (!names.insert(sink->name()).second) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format(
                    "two receivers of spans are called `{}`; give each a name of its own",
                    sink->name()
                )
            );
        }
    }
    return {};
}

void keep_messages_off_spans(trace::ContentRules& rules) {
    const auto narrow = [](trace::ContentModes& modes) {
        for (const auto kind : {trace::ContentKind::prompts, trace::ContentKind::answers}) {
            modes.set(kind, std::min(modes[kind], trace::CaptureMode::metadata));
        }
    };
    narrow(rules.modes);
    for (auto& app : rules.apps) {
        narrow(app.modes);
    }
}

/// Null if model calls are told by their spans alone. Log records show what everybody may see.
std::shared_ptr<SpanSink> make_event_sink(const TelemetryConfig& config) {
    return config.messages_on == MessagePlace::span
               ? nullptr
               : make_shaped_sink(make_inference_event_sink(), {config.content});
}

/// What receivers of spans may see once the messages go elsewhere.
void apply_message_place(TelemetryConfig& config) {
    if (config.messages_on == MessagePlace::event) {
        keep_messages_off_spans(config.content);
        for (auto& destination : config.destinations) {
            keep_messages_off_spans(destination.content);
        }
    }
}

Result<std::vector<std::shared_ptr<SpanSink>>> make_sinks(const TelemetryConfig& config) {
    auto plain = config.sinks;
    for (const auto& otlp : config.otlp) {
        FLOWSPAN_TRY(auto sink, make_otlp_sink(otlp));
        plain.push_back(std::move(sink));
    }
    if (config.is_console) {
        FLOWSPAN_TRY(auto sink, make_otlp_file_sink("-"));
        plain.push_back(std::move(sink));
    }
    std::vector<std::shared_ptr<SpanSink>> sinks;
    sinks.reserve(plain.size() + config.destinations.size() + 1);
    for (auto& sink : plain) {
        sinks.push_back(make_shaped_sink(std::move(sink), {config.content}));
    }
    for (const auto& destination : config.destinations) {
        FLOWSPAN_TRY(auto sink, make_destination_sink(destination));
        sinks.push_back(std::move(sink));
    }
    if (config.store) {
        sinks.push_back(make_store_sink(*config.store, real_clock()));
    }
    // The program's own come first; it knows them by what they are.
    if (auto checked = check_names(std::span(sinks).subspan(config.sinks.size())); !checked) {
        return failure(std::move(checked).error());
    }
    return sinks;
}

// As they are when they are made anew: for another process's spans.
std::vector<std::shared_ptr<SpanSink>> make_receivers(const TelemetryConfig& config) {
    std::vector<std::shared_ptr<SpanSink>> sinks;
    for (const auto& receiver : config.otlp) {
        if (auto sink = make_otlp_sink(receiver)) {
            sinks.push_back(make_shaped_sink(*std::move(sink), {config.content}));
        }
    }
    for (const auto& destination : config.destinations) {
        if (auto sink = make_destination_sink(destination)) {
            sinks.push_back(*std::move(sink));
        }
    }
    return sinks;
}

// Only where something may wait: a store that is there, and receivers.
std::unique_ptr<Redelivery> start_redelivery(const TelemetryConfig& config) {
    std::error_code code;
    const bool has_receivers = !config.otlp.empty() || !config.destinations.empty();
    if (!config.store || !has_receivers || !std::filesystem::exists(config.store->path, code)) {
        return nullptr;
    }
    TelemetryConfig receivers;
    receivers.otlp = config.otlp;
    receivers.destinations = config.destinations;
    receivers.content = config.content;
    return std::make_unique<Redelivery>(
        config.store->path,
        config.batch,
        [receivers = std::move(receivers)] { return make_receivers(receivers); }
    );
}

ShutdownReport make_report(const PipelineCounts& counts) {
    ShutdownReport report;
    report.open = counts.open;
    for (const auto& sink : counts.sinks) {
        report.exported += sink.exported;
        const auto lost = sink.dropped.lost() + sink.queued;
        report.lost += lost;
        if (lost > 0) {
            report.messages.push_back(fmt::format(
                "{} did not get {}{}{}",
                sink.name,
                count_text(static_cast<std::int64_t>(lost), "span"),
                sink.last_error.empty() ? "" : ": ",
                sink.last_error
            ));
        }
    }
    if (counts.open > 0) {
        report.messages.push_back(fmt::format(
            "{} never ended", count_text(static_cast<std::int64_t>(counts.open), "span")
        ));
    }
    return report;
}

}  // namespace

struct Telemetry::State {
    std::shared_ptr<sdk::TracerProvider> provider;
    SpanPipeline* pipeline = nullptr;        // inside the provider; null while tracing is off
    std::unique_ptr<Redelivery> redelivery;  // may be null
    std::optional<ShutdownReport> report;
};

Telemetry::Telemetry(std::unique_ptr<State> state) : state_(std::move(state)) {}

Telemetry::~Telemetry() {
    shutdown();
}

Result<std::unique_ptr<Telemetry>> Telemetry::start(TelemetryConfig config) {
    trace::install_context_storage();
    trace::set_propagators(config.propagators);
    auto state = std::make_unique<State>();
    if (config.is_disabled) {
        return std::unique_ptr<Telemetry>(new Telemetry(std::move(state)));
    }
    auto events = make_event_sink(config);
    apply_message_place(config);
    FLOWSPAN_TRY(auto sinks, make_sinks(config));
    if (events != nullptr) {
        sinks.push_back(std::move(events));
    }
    if (sinks.empty()) {
        return std::unique_ptr<Telemetry>(new Telemetry(std::move(state)));
    }
    redirect_sdk_log();
    auto pipeline = std::make_unique<SpanPipeline>(
        SpanPipeline::Options{
            .limits = config.limits,
            .batch = config.batch,
            .redactor = config.redactor,
            .run_sampling = config.run_sampling,
            .pending_after = config.pending_after,
        },
        make_process_resource(config),
        sinks
    );
    state->pipeline = pipeline.get();
    // Sinks read our own resource; the SDK's would split OTEL_RESOURCE_ATTRIBUTES without decoding.
    state->provider = sdk::TracerProviderFactory::Create(
        std::move(pipeline),
        opentelemetry::sdk::resource::Resource::GetEmpty(),
        make_sampler(config.sampler),
        accept_requested_ids(
            config.id_seed ? make_seeded_ids(*config.id_seed)
                           : sdk::RandomIdGeneratorFactory::Create()
        )
    );
    state->redelivery = start_redelivery(config);
    trace::set_tracer_provider(std::shared_ptr<opentelemetry::trace::TracerProvider>(state->provider
    ));
    return std::unique_ptr<Telemetry>(new Telemetry(std::move(state)));
}

bool Telemetry::is_enabled() const noexcept {
    return state_->pipeline != nullptr && !state_->report;
}

bool Telemetry::flush(std::chrono::milliseconds budget) {
    return state_->pipeline == nullptr || state_->pipeline->ForceFlush(budget);
}

bool Telemetry::settle_store(std::chrono::milliseconds budget) {
    return state_->pipeline == nullptr || state_->pipeline->settle_store(budget);
}

PipelineCounts Telemetry::counts() const {
    return state_->pipeline == nullptr ? PipelineCounts{} : state_->pipeline->counts();
}

ShutdownReport Telemetry::shutdown(std::chrono::milliseconds budget) {
    if (!state_->report) {
        state_->report.emplace();
        if (state_->pipeline != nullptr) {
            trace::set_tracer_provider({});
            const auto deadline = real_clock().steady_now() + budget;
            state_->pipeline->Shutdown(budget);
            if (state_->redelivery != nullptr) {
                state_->redelivery->finish(deadline);
            }
            state_->report = make_report(state_->pipeline->counts());
        }
    }
    return *state_->report;
}

}  // namespace flowspan::exporting
