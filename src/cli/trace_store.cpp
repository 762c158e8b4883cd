#include "cli/trace_store.hpp"

#include <cstdlib>
#include <string_view>

namespace flowspan::cli {

namespace {

constexpr std::string_view kOff = "off";

std::string text_of(const EnvironmentLookup& lookup, const char* name) {
    const auto* value = lookup(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string default_path(const EnvironmentLookup& lookup) {
    constexpr std::string_view kFile = "/flowspan/traces.db";
    // The specification of these folders ignores relative paths.
    if (auto state = text_of(lookup, "XDG_STATE_HOME"); state.starts_with('/')) {
        return state.append(kFile);
    }
    auto home = text_of(lookup, "HOME");
    return home.empty() ? home : home.append("/.local/state").append(kFile);
}

}  // namespace

std::optional<exporting::StoreConfig> find_trace_store(
    const StoreSettings& settings, const std::string& flag, const EnvironmentLookup& lookup
) {
    auto path = flag.empty() ? text_of(lookup, "FLOWSPAN_TRACE_STORE") : flag;
    if (path.empty() && !settings.enabled) {
        return std::nullopt;
    }
    if (path.empty()) {
        path = settings.path.empty() ? default_path(lookup) : settings.path;
    }
    if (path.empty() || path == kOff) {
        return std::nullopt;
    }
    return exporting::StoreConfig{
        .path = path, .age_max = settings.age_max, .bytes_max = settings.bytes_max
    };
}

std::optional<exporting::StoreConfig> find_trace_store(
    const StoreSettings& settings, const std::string& flag
) {
    return find_trace_store(settings, flag, [](const char* name) { return std::getenv(name); });
}

}  // namespace flowspan::cli
