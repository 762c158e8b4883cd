#pragma once
// Which file the traces of this machine are kept in.

#include "cli/config.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <optional>
#include <string>

namespace flowspan::cli {

/// `flag`, else FLOWSPAN_TRACE_STORE, else the settings; of each, `off` means no store. Without a
/// path it is `flowspan/traces.db` in XDG_STATE_HOME or ~/.local/state; nothing if there is no home
/// either.
[[nodiscard]] std::optional<exporting::StoreConfig> find_trace_store(
    const StoreSettings& settings, const std::string& flag, const EnvironmentLookup& lookup
);

/// With the process's environment.
[[nodiscard]] std::optional<exporting::StoreConfig> find_trace_store(
    const StoreSettings& settings, const std::string& flag
);

}  // namespace flowspan::cli
