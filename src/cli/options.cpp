#include "cli/options.hpp"

#include <CLI/CLI.hpp>

#include <map>
#include <sstream>

namespace flowspan::cli {

namespace {

constexpr auto kVersion = "flowspan " FLOWSPAN_VERSION;

void add_run(CLI::App& program, RunOptions& options) {
    auto* command = program.add_subcommand("run", "Run an exported app and show its trace");
    command->add_option("app", options.file, "App file (.yml as exported)")->required();
    command
        ->add_option(
            "-i,--input",
            options.inputs,
            "Input of the start form: key=value; key=@file reads or attaches a file. Repeat it for "
            "several inputs, or with one key for a list"
        )
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    command->add_option(
        "--inputs", options.inputs_json, "All inputs as one JSON object, or @file with one"
    );
    command->add_option("-q,--query", options.query, "The user's message (chat apps)");
    command->add_option("--user", options.user, "End-user id")->capture_default_str();
    command->add_option("--conversation", options.conversation_id, "Id of the conversation");
    command->add_option(
        "-c,--config", options.config, "Configuration (default: flowspan.toml, if there is one)"
    );
    command->add_option(
        "--trace-out",
        options.trace_out,
        "Write the run's spans to a file (OTLP JSON, one line an "
        "export request)"
    );
    command
        ->add_option("--trace", options.trace, "Show the trace after the run: auto, always, never")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, TraceDisplay>{
                {"auto", TraceDisplay::automatic},
                {"always", TraceDisplay::always},
                {"never", TraceDisplay::never},
            },
            CLI::ignore_case
        ));
    command->add_flag(
        "--json",
        options.is_json,
        "Print one JSON object with the result on standard output, "
        "nothing else"
    );
    command->add_flag(
        "--events", options.has_events, "Print every event of the run as a JSON line"
    );
    command->add_flag("--quiet", options.is_quiet, "No progress, no trace");
    command->footer(
        "Exit codes: 0 done, 1 the run failed, 2 bad usage or bad file, 130 interrupted.\n"
        "Without a configured model the built-in demo model answers. Set FLOWSPAN_MODEL_BASE_URL "
        "and\nFLOWSPAN_MODEL_API_KEY to use an OpenAI-compatible endpoint. Spans go wherever the "
        "OTEL_*\nvariables say, for example OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318."
    );
}

void add_check(CLI::App& program, CheckOptions& options) {
    auto* command = program.add_subcommand(
        "check", "Say of app files what is supported, what is not, and where"
    );
    command->add_option("paths", options.paths, "Files and folders")->required();
    command->add_flag("--json", options.is_json, "One JSON object a file");
    command->add_flag("--quiet", options.is_quiet, "Only the summary");
    command->footer("Exit codes: 0 no file is invalid, 1 some are, 2 bad usage.");
}

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
    CLI::App program("Runs LLM workflow apps; every run is one OpenTelemetry trace.", "flowspan");
    program.set_version_flag("--version", kVersion);
    program.require_subcommand(1);
    RunOptions run;
    CheckOptions check;
    add_run(program, run);
    add_check(program, check);
    ParsedCommandLine parsed;
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // The library reports help, version and misuse alike by throwing.
        std::ostringstream text;
        const int code = program.exit(error, text, text);
        parsed.message.emplace(text.str(), code == 0 ? ExitCode::done : ExitCode::bad_usage);
        return parsed;
    }
    if (program.got_subcommand("run")) {
        parsed.options.run = std::move(run);
    } else {
        parsed.options.check = std::move(check);
    }
    return parsed;
}

}  // namespace flowspan::cli
