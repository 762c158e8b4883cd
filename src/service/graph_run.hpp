#pragma once
// What the workflow and the advanced-chat runner share: the variable pool and the engine's set-up.

#include "service/app_runner.hpp"

namespace flowspan::service {

/// System variables that every graph run has, environment variables, and the inputs under the start
/// node.
[[nodiscard]] value::VariablePool make_variables(const AppRun& run);

[[nodiscard]] Task<Result<engine::RunResult>> run_graph(
    const RunnerServices& services,
    const AppRun& run,
    value::VariablePool variables,
    engine::EventSink& consumer
);

}  // namespace flowspan::service
