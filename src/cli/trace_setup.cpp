#include "cli/trace_setup.hpp"

#include "cli/described_secrets.hpp"

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

}  // namespace

std::vector<Secret> find_secrets(const Config& config) {
    std::vector<Secret> secrets;
    collect_secrets(config, secrets);
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

Result<trace::CapturePolicy> make_capture_policy(const Config& config) {
    trace::CapturePolicy policy;
    FLOWSPAN_TRY(policy.redactor, make_redactor(config));
    policy.readers = {make_content_rules(config.trace)};
    policy.content_bytes_max = config.trace.content_bytes_max;
    return policy;
}

}  // namespace flowspan::cli
