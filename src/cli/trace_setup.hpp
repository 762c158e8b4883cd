#pragma once
// From the settings to what the tracing rooms are built with.

#include "cli/config.hpp"
#include "export/content_folder.hpp"
#include "flowspan/export/telemetry_config.hpp"
#include "flowspan/trace/baggage.hpp"
#include "flowspan/trace/capture_policy.hpp"

#include <memory>
#include <vector>

namespace flowspan::cli {

/// Every credential in the settings, and in the headers that the OTEL_* variables give.
[[nodiscard]] std::vector<Secret> find_secrets(const Config& config);

/// Fails if a pattern is no regular expression.
[[nodiscard]] Result<std::shared_ptr<const trace::Redactor>> make_redactor(const Config& config);

/// What whoever has no rules of its own may see.
[[nodiscard]] trace::ContentRules make_content_rules(const TraceSettings& settings);

/// Words that are no baggage are left out; `make_capture_policy` names them.
[[nodiscard]] trace::BaggageRules make_baggage_rules(const TraceSettings& settings);

/// The receivers that the settings name.
[[nodiscard]] std::vector<exporting::Destination> make_destinations(const TraceSettings& settings);

/// Null unless a folder is named.
[[nodiscard]] std::unique_ptr<exporting::ContentFolder> make_content_store(
    const TraceSettings& settings
);

/// What is recorded: enough for every reader.
[[nodiscard]] Result<trace::CapturePolicy> make_capture_policy(const Config& config);

/// What the OTEL_* variables and the settings ask for together.
[[nodiscard]] exporting::TelemetryConfig make_telemetry_config(
    const Config& config, const trace::CapturePolicy& policy
);

}  // namespace flowspan::cli
