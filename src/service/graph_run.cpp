#include "service/graph_run.hpp"

#include "engine/limits_layer.hpp"
#include "service/checkpoint_layer.hpp"

#include <memory>
#include <utility>

namespace flowspan::service {

namespace {

void set_text(value::VariablePool& variables, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        variables.set(value::kSystemPrefix, name, value::Value::string(text));
    }
}

value::Value file_list(const json::array& files) {
    return files.empty() ? value::Value(json::array())
                         : value::Value::unchecked(files, value::ValueType::array_file);
}

engine::RunRequest make_request(
    const RunnerServices& services, const AppRun& run, value::VariablePool variables
) {
    engine::RunRequest request;
    request.graph = run.app->graph;
    request.info = run.info;
    request.variables = std::move(variables);
    request.limits = services.limits;
    request.resume_from = run.resume_from;
    request.answers = run.answers;
    return request;
}

}  // namespace

value::VariablePool make_variables(const AppRun& run) {
    if (run.resume_from) {
        return *run.resume_from->root.variables;
    }
    value::VariablePool variables;
    const auto& info = *run.info;
    variables.set(value::kSystemPrefix, "files", file_list(run.files));
    set_text(variables, "user_id", info.user_id);
    set_text(variables, "app_id", info.app_id);
    set_text(variables, "workflow_id", info.workflow_id);
    set_text(variables, "workflow_run_id", info.run_id);
    for (const auto& variable : run.app->app.environment_variables) {
        variables.set(value::kEnvironmentPrefix, variable.name, variable.value);
    }
    for (const auto& input : run.inputs) {
        variables.set(run.app->app.graph.root_id, input.name, input.value);
    }
    return variables;
}

Task<Result<engine::RunResult>> run_graph(
    const RunnerServices& services,
    const AppRun& run,
    value::VariablePool variables,
    engine::EventSink& consumer
) {
    engine::LimitsLayer limits(services.limits.steps_max);
    engine::GraphEngine engine(
        make_request(services, run, std::move(variables)),
        services.clock,
        services.random,
        run.control
    );
    engine.add_layer(limits);
    for (auto* layer : services.layers) {
        engine.add_layer(*layer);
    }
    std::unique_ptr<CheckpointLayer> checkpoints;
    if (run.keeper != nullptr) {
        checkpoints = std::make_unique<CheckpointLayer>(
            *run.keeper, PausedRun{run.app->app.file, run.app->source, run.trace, nullptr}
        );
        engine.add_layer(*checkpoints);
    }
    co_return co_await engine.run(consumer);
}

}  // namespace flowspan::service
