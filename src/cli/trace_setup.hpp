#pragma once
// From the settings to what the tracing rooms are built with.

#include "cli/config.hpp"
#include "flowspan/trace/capture_policy.hpp"

#include <memory>
#include <vector>

namespace flowspan::cli {

/// Every credential in the settings.
[[nodiscard]] std::vector<Secret> find_secrets(const Config& config);

/// Fails if a pattern is no regular expression.
[[nodiscard]] Result<std::shared_ptr<const trace::Redactor>> make_redactor(const Config& config);

/// What whoever has no rules of its own may see.
[[nodiscard]] trace::ContentRules make_content_rules(const TraceSettings& settings);

[[nodiscard]] Result<trace::CapturePolicy> make_capture_policy(const Config& config);

}  // namespace flowspan::cli
