#pragma once
// Values for the environment variables of an app: exports carry secrets without theirs.

#include "cli/config.hpp"
#include "flowspan/value/variable_pool.hpp"
#include "service/loaded_app.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::cli {

/// The app with values of the configuration's `[environment]`, then of `given` (`--env`:
/// NAME=VALUE, or NAME alone for the process's own variable, as `lookup` tells), each read as the
/// type that the app declares. Names that the app does not have are errors in `given` only, because
/// one configuration serves many apps.
[[nodiscard]] Result<std::shared_ptr<const service::LoadedApp>> with_environment(
    std::shared_ptr<const service::LoadedApp> app,
    const std::map<std::string, Secret>& configured,
    const std::vector<std::string>& given,
    const EnvironmentLookup& lookup
);

/// The app with the values that a run had when it paused, so that its secrets are known again.
[[nodiscard]] std::shared_ptr<const service::LoadedApp> with_environment_of(
    const service::LoadedApp& app, const value::VariablePool& variables
);

/// For people: which secrets have no value, and what to do; empty if all have one.
[[nodiscard]] std::string describe_missing_secrets(const dsl::App& app);

}  // namespace flowspan::cli
