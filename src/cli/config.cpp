#include "cli/config.hpp"

#include "cli/described_toml.hpp"
#include "flowspan/base/text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace flowspan::cli {

namespace {

constexpr auto kDefaultFile = "flowspan.toml";
constexpr auto kMessageCaptureVariable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

Result<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return failure(
            ErrorCode::invalid_input, fmt::format("cannot read the configuration `{}`", path)
        );
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string_view lookup_text(const EnvironmentLookup& lookup, const char* name) {
    const auto* value = lookup(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& file) {
    Config config;
    TomlProblems problems(file);
    try {
        const auto table = toml::parse(text, file);
        read_table(table, config, problems);
    } catch (const toml::parse_error& error) {
        // The library reports syntax errors only by throwing.
        const auto& begin = error.source().begin;
        return failure(
            ErrorCode::invalid_input,
            fmt::format("{}:{}:{}: {}", file, begin.line, begin.column, error.description())
        );
    }
    if (!problems.lines().empty()) {
        return failure(
            ErrorCode::invalid_input, fmt::format("{}", fmt::join(problems.lines(), "\n"))
        );
    }
    return config;
}

namespace {

/// OpenTelemetry's switch for the messages of model calls; it goes over the file.
void apply_message_capture(TraceSettings& trace, std::string_view wish) {
    struct Meaning {
        std::string_view word;
        ContentPolicy policy;
        MessagePlace place;
    };

    static constexpr Meaning kMeanings[] = {
        {"NO_CONTENT", ContentPolicy::metadata, MessagePlace::span},
        {"SPAN_ONLY", ContentPolicy::full, MessagePlace::span},
        {"EVENT_ONLY", ContentPolicy::full, MessagePlace::event},
        {"SPAN_AND_EVENT", ContentPolicy::full, MessagePlace::both},
        {"FALSE", ContentPolicy::metadata, MessagePlace::span},
        {"TRUE", ContentPolicy::full, MessagePlace::span},
    };
    if (wish.empty()) {
        return;
    }
    const auto found = std::ranges::find_if(kMeanings, [wish](const Meaning& meaning) {
        return equals_ignore_case(meaning.word, wish);
    });
    if (found == std::end(kMeanings)) {
        spdlog::warn(
            "{}=`{}` is not understood: NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT",
            kMessageCaptureVariable,
            wish
        );
        return;
    }
    trace.capture.prompts = found->policy;
    trace.capture.answers = found->policy;
    trace.messages_on = found->place;
}

}  // namespace

void apply_environment(Config& config, const EnvironmentLookup& lookup) {
    apply_message_capture(config.trace, lookup_text(lookup, kMessageCaptureVariable));
    const auto base_url = lookup_text(lookup, "FLOWSPAN_MODEL_BASE_URL");
    const auto api_key = lookup_text(lookup, "FLOWSPAN_MODEL_API_KEY");
    if (!base_url.empty()) {
        auto& endpoint = config.models.default_endpoint;
        if (!endpoint) {
            endpoint.emplace();
        }
        endpoint->protocol = model::Protocol::openai;
        endpoint->base_url = base_url;
    }
    if (!api_key.empty() && config.models.default_endpoint) {
        config.models.default_endpoint->api_key = Secret(std::string(api_key));
    }
}

Result<Config> load_config(const std::string& path) {
    Config config;
    const bool has_default_file = path.empty() && std::filesystem::exists(kDefaultFile);
    if (!path.empty() || has_default_file) {
        const auto file = path.empty() ? std::string(kDefaultFile) : path;
        FLOWSPAN_TRY(const auto text, read_text(file));
        FLOWSPAN_TRY(config, parse_config(text, file));
    }
    apply_environment(config, [](const char* name) { return std::getenv(name); });
    return config;
}

}  // namespace flowspan::cli
