#pragma once
// The program's settings: described structs with defaults, filled from flowspan.toml and the
// environment.

#include "cli/trace_settings.hpp"
#include "flowspan/base/result.hpp"
#include "flowspan/base/secret.hpp"
#include "infra/sandbox/sandbox.hpp"
#include "knowledge/knowledge_store.hpp"
#include "model/models_config.hpp"
#include "tools/tools_config.hpp"

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace flowspan::cli {

struct LimitSettings {
    std::int64_t steps_max = 500;
    std::chrono::milliseconds time_max = std::chrono::seconds(1200);

    bool operator==(const LimitSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(LimitSettings, (), (steps_max, time_max))

struct Config {
    model::ModelsConfig models;
    TraceSettings trace;
    RedactionSettings redaction;
    LimitSettings limits;
    std::map<std::string, Secret> environment;  ///< of apps; used by those that declare the name
    infra::sandbox::SandboxConfig sandbox;
    tools::ToolsConfig tools;
    knowledge::KnowledgeConfig knowledge;

    bool operator==(const Config&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    Config, (), (models, trace, redaction, limits, environment, sandbox, tools, knowledge)
)

using EnvironmentLookup = std::function<const char*(const char* name)>;

/// Parses settings; unknown keys and wrong types are errors, all in one message with line and
/// column.
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& file);

/// FLOWSPAN_MODEL_BASE_URL and FLOWSPAN_MODEL_API_KEY set the default endpoint.
void apply_environment(Config& config, const EnvironmentLookup& lookup);

/// Defaults, then `path` (empty: `flowspan.toml` in the working folder if there is one), then the
/// process's environment.
[[nodiscard]] Result<Config> load_config(const std::string& path);

}  // namespace flowspan::cli
