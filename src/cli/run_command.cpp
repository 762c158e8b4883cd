#include "cli/run_command.hpp"

#include "cli/app_environment.hpp"
#include "cli/config.hpp"
#include "cli/interrupt.hpp"
#include "cli/log_format.hpp"
#include "cli/pause_report.hpp"
#include "cli/problem_text.hpp"
#include "cli/program.hpp"
#include "cli/run_channel.hpp"
#include "cli/run_display.hpp"
#include "cli/run_file.hpp"
#include "cli/run_inputs.hpp"
#include "cli/trace_setup.hpp"
#include "cli/trace_store.hpp"
#include "export/memory_sink.hpp"
#include "export/otlp_file_sink.hpp"
#include "export/trace_tree.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/export/signals.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/propagation.hpp"
#include "service/form_answer.hpp"
#include "service/loaded_app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace flowspan::cli {

namespace {

using Generated = Result<service::GenerateResult>;

/// Joins the caller's trace if the environment carries one (TRACEPARENT, TRACESTATE, BAGGAGE).
opentelemetry::context::Context environment_context() {
    return trace::extract([](std::string_view name) -> std::string_view {
        std::string variable(name);
        std::ranges::transform(variable, variable.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        const auto* value = std::getenv(variable.c_str());
        return value == nullptr ? std::string_view() : std::string_view(value);
    });
}

struct Session {
    const RunOptions& options;
    Program& program;
    std::shared_ptr<const service::LoadedApp> app;
    std::optional<service::PausedRun> paused;  ///< what `resume` goes on with
    RunDisplay& display;
    const RunIdLayer& run_id;
    RunFile* checkpoints = nullptr;
    engine::RunControl control = {};
};

/// What the command line says to the form that it answers; empty if it answers none.
Task<Result<json::object>> read_answers(Session* session) {
    const auto& options = session->options;
    const auto& resume = *options.resume;
    if (resume.action.empty() && options.inputs.empty() && options.inputs_json.empty() &&
        resume.form_id.empty()) {
        co_return json::object();
    }
    FLOWSPAN_CO_TRY(const auto form, service::find_form(*session->paused->run, resume.form_id));
    FLOWSPAN_CO_TRY(
        const auto inputs,
        co_await read_inputs(
            service::describe_form(form),
            options.inputs,
            options.inputs_json,
            session->program.file_store()
        )
    );
    FLOWSPAN_CO_TRY(auto answer, service::check_form_answer(form, resume.action, inputs));
    co_return json::object{{string_member(form, "form_id"), std::move(answer)}};
}

Task<Generated> resume(Session* session) {
    service::ResumeRequest request;
    request.app = session->app;
    FLOWSPAN_CO_TRY(request.answers, co_await read_answers(session));
    request.paused = *session->paused;
    request.control = session->control;
    request.keeper = session->checkpoints;
    co_return co_await session->program.generate_service().resume(request, session->display);
}

Task<Generated> generate(Session* session) {
    if (session->paused) {
        co_return co_await resume(session);
    }
    const trace::CurrentContext remote(environment_context());
    const auto& options = session->options;
    service::GenerateRequest request;
    request.app = session->app;
    if (!request.app->graph) {
        // The service says that the mode cannot run; what it asks for no longer matters.
        co_return co_await session->program.generate_service().generate(request, session->display);
    }
    FLOWSPAN_CO_TRY(
        request.inputs,
        co_await read_inputs(
            service::describe_form(session->app->app.graph),
            options.inputs,
            options.inputs_json,
            session->program.file_store()
        )
    );
    FLOWSPAN_CO_TRY(
        request.files,
        co_await read_uploads(session->app->app, options.uploads, session->program.file_store())
    );
    request.query = clean_text(options.query, "--query");
    request.user = options.user;
    request.trace_id = options.trace_id;
    request.is_trace_kept = options.is_trace_kept;
    request.conversation_id = options.conversation_id;
    request.control = session->control;
    request.keeper = session->checkpoints;
    co_return co_await session->program.generate_service().generate(request, session->display);
}

double round_to_microseconds(double milliseconds) {
    return std::round(milliseconds * 1000) / 1000;
}

json::object result_object(
    const Generated& generated, const std::string& trace_id, double elapsed_ms
) {
    json::object object{
        {"run_id", nullptr},
        {"trace_id", nullptr},
        {"status", "failed"},
        {"outputs", json::object()},
        {"error", nullptr},
        {"elapsed_ms", round_to_microseconds(elapsed_ms)},
        {"total_tokens", 0},
    };
    if (!trace_id.empty()) {
        object["trace_id"] = trace_id;
    }
    if (!generated) {
        object["error"] = generated.error().full_text();
        return object;
    }
    const auto& run = generated->run;
    object["run_id"] = generated->info->run_id;
    object["status"] = engine::to_string(run.status);
    object["outputs"] = run.outputs;
    object["elapsed_ms"] =
        round_to_microseconds(std::chrono::duration<double, std::milli>(run.elapsed).count());
    object["total_tokens"] = run.total_tokens;
    if (run.error) {
        object["error"] = run.error->full_text();
    }
    if (run.snapshot) {
        object["pause_reasons"] = run.snapshot->pause_reasons;
    }
    return object;
}

/// Outputs that the streamed text has not shown already.
void print_outputs(const service::GenerateResult& result, const RunDisplay& display) {
    const auto& outputs = result.run.outputs;
    if (outputs.empty() || result.info->app_mode == "advanced-chat") {
        return;
    }
    const bool is_shown = outputs.size() == 1 && outputs.begin()->value().is_string() &&
                          outputs.begin()->value().get_string() == display.text();
    if (!is_shown) {
        write_output("\nOutputs\n" + value::python_json(outputs, 2) + "\n");
    }
}

std::string describe_failure(const Generated& generated, const RunDisplay& display) {
    if (!generated) {
        return generated.error().full_text();
    }
    const auto& run = generated->run;
    if (!run.error) {
        return {};
    }
    const bool is_of_node =
        run.status == engine::RunStatus::failed && !display.failed_node().empty();
    return (is_of_node ? display.failed_node() + ": " : "") + run.error->full_text();
}

ExitCode exit_code_of(const Generated& generated, bool was_interrupted) {
    if (was_interrupted) {
        return ExitCode::interrupted;
    }
    if (!generated) {
        return ExitCode::bad_usage;
    }
    switch (generated->run.status) {
        case engine::RunStatus::succeeded:
        case engine::RunStatus::partial_succeeded:
            return ExitCode::done;
        case engine::RunStatus::paused:
            return ExitCode::paused;
        default:
            return ExitCode::run_failed;
    }
}

bool wants_tree(const RunOptions& options) {
    if (options.trace != TraceDisplay::automatic) {
        return options.trace == TraceDisplay::always;
    }
    // Scripts read the result of --json, often with both streams in one.
    return !options.is_quiet && !options.has_events && !options.is_json;
}

void print_tree(
    const RunOptions& options, const Terminal& terminal, const exporting::MemorySink& spans
) {
    exporting::TreeOptions tree;
    tree.width = terminal.width;
    tree.use_color = !options.is_json && terminal.has_color;
    tree.use_unicode = terminal.has_unicode;
    const auto text = "\n" + exporting::render_trace_tree(spans.spans(), tree);
    if (options.is_json || options.has_events) {
        write_error(text);
    } else {
        write_output(text);
    }
}

exporting::RunSamplingConfig make_run_sampling(const SamplingSettings& settings) {
    return {
        .ratio = settings.ratio,
        .slow = settings.slow,
        .tokens = settings.tokens,
        .cost = settings.cost,
        .buffer_spans_max = settings.buffer_spans_max,
        .buffer_bytes_max = settings.buffer_bytes_max,
    };
}

/// Metrics and logs as the environment and the flags ask for them.
Result<std::unique_ptr<exporting::Signals>> start_signals(
    const RunOptions& options, const exporting::TelemetryConfig& describes
) {
    auto config = exporting::SignalsConfig::from_environment();
    config.metrics.file = options.metrics_out;
    if (options.metrics_port) {
        config.metrics.scrape.emplace().port = *options.metrics_port;
    }
    for (const auto& warning : config.warnings) {
        write_error("flowspan: " + warning + "\n");
    }
    FLOWSPAN_TRY(auto signals, exporting::Signals::start(std::move(config), describes));
    if (options.metrics_port == 0) {
        write_error(fmt::format(
            "flowspan: metrics on http://127.0.0.1:{}/metrics\n", signals->scrape_port()
        ));
    }
    return signals;
}

struct Observation {
    std::unique_ptr<exporting::Telemetry> traces;
    std::unique_ptr<exporting::Signals> signals;

    /// The last words of all; one line for each loss.
    std::vector<std::string> shutdown() {
        auto losses = traces->shutdown(exporting::Telemetry::kShutdownBudget).messages;
        for (auto& loss : signals->shutdown(exporting::Telemetry::kShutdownBudget)) {
            losses.push_back(std::move(loss));
        }
        return losses;
    }
};

/// Observing as the environment asks for it, plus the sinks of this command.
Result<Observation> start_telemetry(
    const RunOptions& options,
    const TraceSettings& settings,
    exporting::TelemetryConfig config,
    std::shared_ptr<exporting::MemorySink> spans
) {
    config.service_version = FLOWSPAN_VERSION;
    config.store = find_trace_store(settings.store, options.store);
    if (config.store) {
        config.store->content = config.content;
    }
    config.run_sampling = make_run_sampling(settings.sampling);
    config.pending_after = settings.pending_after;
    config.sinks.push_back(std::move(spans));
    if (!options.trace_out.empty()) {
        auto sink = exporting::make_otlp_file_sink(options.trace_out);
        if (!sink) {
            return failure(std::move(sink).error().while_doing("opening --trace-out"));
        }
        config.sinks.push_back(*std::move(sink));
    }
    for (const auto& warning : config.warnings) {
        write_error("flowspan: " + warning + "\n");
    }
    // Traces, metrics and logs say that they come from the same instance.
    config.resource.insert(
        config.resource.begin(), {trace::names::kServiceInstanceId, make_uuid(real_random())}
    );
    FLOWSPAN_TRY(auto signals, start_signals(options, config));
    if (config.messages_on == exporting::MessagePlace::event && !trace::has_log_receiver()) {
        write_error(
            "flowspan: the messages of model calls go to log events, which nobody receives: set "
            "OTEL_LOGS_EXPORTER=otlp or `messages_on = \"both\"`\n"
        );
    }
    FLOWSPAN_TRY(auto telemetry, exporting::Telemetry::start(std::move(config)));
    signals->observe_spans([traces = telemetry.get()] { return traces->counts(); });
    return Observation{std::move(telemetry), std::move(signals)};
}

ExitCode refuse(const RunOptions& options, const Error& error) {
    write_error("flowspan: " + error.describe() + "\n");
    if (options.is_json) {
        write_output(value::python_json(result_object(failure(error), "", 0)) + "\n");
    }
    return ExitCode::bad_usage;
}

ExitCode refuse_file(const RunOptions& options, const service::AppCheck& check) {
    write_error(problem_lines(check) + "flowspan: " + refusal(check) + "\n");
    if (options.is_json) {
        const Error error(ErrorCode::invalid_input, refusal(check) + ": " + problem_text(check));
        write_output(value::python_json(result_object(failure(error), "", 0)) + "\n");
    }
    return ExitCode::bad_usage;
}

/// The app with the values that its environment variables have in this run.
Result<std::shared_ptr<const service::LoadedApp>> fill_environment(
    const RunOptions& options,
    const Config& config,
    std::shared_ptr<const service::LoadedApp> app,
    const std::optional<service::PausedRun>& paused
) {
    if (paused) {
        return with_environment_of(*app, *paused->run->root.variables);
    }
    FLOWSPAN_TRY(
        auto filled,
        with_environment(std::move(app), config.environment, options.environment, std::getenv)
    );
    const auto missing = describe_missing_secrets(filled->app);
    if (!missing.empty() && !options.is_quiet) {
        write_error("flowspan: " + missing + "\n");
    }
    return filled;
}

struct Outcome {
    Generated generated;
    double elapsed_ms = 0;
    bool was_interrupted = false;  ///< by a signal, or stopped by another process
    std::string pause_file;        ///< where a paused run was written
};

Outcome run_to_the_end(Session& session) {
    const auto started = real_clock().steady_now();
    auto& runtime = session.program.runtime();
    const auto executor = runtime.next_executor();
    const InterruptWatch watch(executor, [&session](const std::string& signal) {
        session.control.abort("interrupted by " + signal);
    });
    const RunChannel channel(executor, session.control, session.options.file, session.run_id);
    auto generated = runtime.block_on(executor, generate, &session);
    const auto elapsed = real_clock().steady_now() - started;
    const bool was_stopped =
        generated && channel.has_stopped() && generated->run.status == engine::RunStatus::stopped;
    return {
        std::move(generated),
        std::chrono::duration<double, std::milli>(elapsed).count(),
        watch.was_interrupted() || was_stopped,
        {},
    };
}

/// Writes a paused run down, and removes what was kept of a run that has come to its end.
void keep_or_forget(const RunOptions& options, RunFile& file, Outcome& outcome) {
    const auto& generated = outcome.generated;
    if (generated && generated->paused) {
        file.keep(*generated->paused);
        outcome.pause_file = file.path().string();
    } else if (generated && options.has_checkpoints && !options.resume) {
        std::error_code ignored;
        std::filesystem::remove(file.path(), ignored);
    }
    if (file.error()) {
        write_error(fmt::format("flowspan: {}\n", file.error()->describe()));
    }
}

void report(
    const RunOptions& options,
    const Terminal& terminal,
    const RunDisplay& display,
    const Outcome& outcome,
    const exporting::MemorySink& spans
) {
    const auto& generated = outcome.generated;
    if (generated && !options.is_json && !options.has_events) {
        print_outputs(*generated, display);
    }
    if (wants_tree(options)) {
        print_tree(options, terminal, spans);
    }
    if (options.is_json) {
        auto object = result_object(generated, display.trace_id(), outcome.elapsed_ms);
        if (!outcome.pause_file.empty()) {
            object["pause_file"] = outcome.pause_file;
        }
        write_output(value::python_json(object) + "\n");
    }
    if (const auto text = describe_failure(generated, display); !text.empty()) {
        write_error("flowspan: " + text + "\n");
    }
    if (generated && generated->paused) {
        write_error("flowspan: " + describe_pause(*generated->paused, outcome.pause_file));
    }
}

/// To a user who gave the wrong inputs.
void report_inputs(const RunOptions& options, const dsl::App& app, const Generated& generated) {
    const bool is_about_inputs =
        !generated && generated.error().code == ErrorCode::invalid_input && !options.resume;
    if (is_about_inputs && !options.is_quiet) {
        write_error(describe_inputs(app));
    }
}

void report_losses(const std::vector<std::string>& losses) {
    for (const auto& message : losses) {
        write_error("flowspan: " + message + "\n");
    }
}

}  // namespace

ExitCode run_app(const RunOptions& options, const Terminal& terminal) {
    const auto config = load_config(options.config);
    if (!config) {
        return refuse(options, config.error());
    }
    auto policy = make_capture_policy(*config);
    if (!policy) {
        return refuse(options, policy.error());
    }
    set_log_format(policy->redactor);
    const auto content = make_content_store(config->trace);
    policy->store = content.get();
    const auto spans = std::make_shared<exporting::MemorySink>();
    auto telemetry =
        start_telemetry(options, config->trace, make_telemetry_config(*config, *policy), spans);
    if (!telemetry) {
        return refuse(options, telemetry.error());
    }
    EventPrinter event_printer;
    RunIdLayer run_id;
    std::vector<engine::Layer*> layers{&run_id};
    if (options.has_events) {
        layers.push_back(&event_printer);
    }
    Program program(*config, std::move(layers), *policy, telemetry->signals->metrics());
    std::optional<service::PausedRun> paused;
    if (options.resume) {
        auto read = read_run_file(options.file);
        if (!read) {
            return refuse(options, read.error());
        }
        paused = *std::move(read);
    }
    const auto check =
        paused ? service::check_app_text(paused->app_source, paused->app_file, program.factory())
               : service::check_app_file(options.file, program.factory());
    if (!check.app) {
        return refuse_file(options, check);
    }
    const auto app = fill_environment(options, *config, check.app, paused);
    if (!app) {
        return refuse(options, app.error());
    }
    RunDisplay display(options, terminal);
    RunFile file(
        options.resume && options.pause_file.empty() ? options.file : options.pause_file,
        telemetry->traces.get()
    );
    Session session{
        options,
        program,
        *app,
        std::move(paused),
        display,
        run_id,
        options.has_checkpoints ? &file : nullptr
    };
    auto outcome = run_to_the_end(session);
    keep_or_forget(options, file, outcome);
    display.finish_line();
    const auto losses = telemetry->shutdown();
    report(options, terminal, display, outcome, *spans);
    report_inputs(options, check.app->app, outcome.generated);
    report_losses(losses);
    return exit_code_of(outcome.generated, outcome.was_interrupted);
}

}  // namespace flowspan::cli
