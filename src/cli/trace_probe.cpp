#include "cli/trace_probe.hpp"

#include "cli/terminal.hpp"
#include "cli/trace_setup.hpp"
#include "export/probe.hpp"
#include "export/process_resource.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace flowspan::cli {

namespace {

using exporting::ProbeResult;

/// All receivers, those of the OTEL_* variables included.
std::vector<exporting::Destination> all_destinations(const exporting::TelemetryConfig& config) {
    std::vector<exporting::Destination> all;
    all.reserve(config.otlp.size() + config.destinations.size());
    for (const auto& otlp : config.otlp) {
        all.push_back({.name = "", .otlp = otlp, .content = config.content});
    }
    all.insert(all.end(), config.destinations.begin(), config.destinations.end());
    return all;
}

std::string outcome_of(const ProbeResult& result) {
    if (!result.error) {
        return result.rejected > 0 ? "partial" : "accepted";
    }
    const auto code = result.error->code;
    const bool has_no_answer = code == ErrorCode::unavailable || code == ErrorCode::timeout;
    // A receiver that answers "not now" was reached.
    const bool was_reached = result.error->message.find("answered") != std::string::npos;
    return has_no_answer && !was_reached ? "unreachable" : "refused";
}

std::string describe(const ProbeResult& result) {
    auto line =
        fmt::format("{}: {} in {} ms", result.name, outcome_of(result), result.elapsed.count());
    if (result.error) {
        line += ": " + result.error->full_text();
    } else if (result.rejected > 0) {
        line += fmt::format(
            ", {} of {} rejected",
            result.rejected,
            count_text(static_cast<std::int64_t>(result.sent), "span")
        );
    } else {
        line += fmt::format(
            ", {}, trace {}",
            count_text(static_cast<std::int64_t>(result.sent), "span"),
            result.trace_id
        );
    }
    if (!result.reason.empty()) {
        line += ": " + result.reason;
    }
    if (result.score_error) {
        line += "; not its score: " + result.score_error->full_text();
    }
    return line + "\n";
}

json::object to_object(const ProbeResult& result) {
    json::object object{
        {"destination", result.name},
        {"dialect", result.dialect.empty() ? "flowspan" : result.dialect},
        {"outcome", outcome_of(result)},
        {"trace_id", result.trace_id},
        {"sent", result.sent},
        {"rejected", result.rejected},
        {"reason", result.reason},
        {"error", nullptr},
        {"score_error", nullptr},
        {"elapsed_ms", result.elapsed.count()},
    };
    if (result.error) {
        object["error"] = result.error->full_text();
    }
    if (result.score_error) {
        object["score_error"] = result.score_error->full_text();
    }
    return object;
}

ExitCode refuse(const Error& error) {
    write_error("flowspan: " + error.full_text() + "\n");
    return ExitCode::bad_usage;
}

}  // namespace

ExitCode run_trace_test(const TraceOptions& options) {
    const auto config = load_config(options.config);
    if (!config) {
        return refuse(config.error());
    }
    const auto policy = make_capture_policy(*config);
    if (!policy) {
        return refuse(policy.error());
    }
    auto telemetry = make_telemetry_config(*config, *policy);
    telemetry.service_version = FLOWSPAN_VERSION;
    for (const auto& warning : telemetry.warnings) {
        write_error("flowspan: " + warning + "\n");
    }
    const auto destinations = all_destinations(telemetry);
    if (destinations.empty()) {
        return refuse(Error(
            ErrorCode::not_found,
            "no receiver is configured: add [[trace.destinations]] to flowspan.toml, or set "
            "OTEL_EXPORTER_OTLP_ENDPOINT"
        ));
    }
    const auto resource = exporting::make_process_resource(telemetry);
    bool is_accepted = true;
    for (const auto& destination : destinations) {
        const auto result = exporting::probe(destination, resource);
        is_accepted = is_accepted && result.is_accepted();
        write_output(options.is_json ? to_json_text(to_object(result)) + "\n" : describe(result));
    }
    return is_accepted ? ExitCode::done : ExitCode::run_failed;
}

}  // namespace flowspan::cli
