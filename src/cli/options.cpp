#include "cli/options.hpp"

#include "service/app_generate_service.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <sstream>
#include <string_view>

namespace flowspan::cli {

namespace {

constexpr auto kVersion = "flowspan " FLOWSPAN_VERSION;

void add_inputs(CLI::App& command, RunOptions& options, const char* what) {
    command
        .add_option(
            "-i,--input",
            options.inputs,
            fmt::format(
                "{}: key=value; key=@file reads or attaches a file. Repeat it for several inputs, "
                "or with one key for a list",
                what
            )
        )
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    command.add_option(
        "--inputs", options.inputs_json, "All inputs as one JSON object, or @file with one"
    );
}

/// Of a word that was checked before.
TraceDisplay trace_display(std::string_view word) {
    if (word == "always") {
        return TraceDisplay::always;
    }
    return word == "never" ? TraceDisplay::never : TraceDisplay::automatic;
}

/// What `run` and `resume` have in common: configuration, what is shown and what is written.
void add_outputs(CLI::App& command, RunOptions& options) {
    command.add_option(
        "-c,--config", options.config, "Configuration (default: flowspan.toml, if there is one)"
    );
    command.add_option(
        "--trace-out",
        options.trace_out,
        "Write the run's spans to a file (OTLP JSON, one line an "
        "export request)"
    );
    command.add_option(
        "--store", options.store, "File of the trace store, or `off` (default: as configured)"
    );
    command.add_option(
        "--metrics-out", options.metrics_out, "Write the run's metrics to a file (Prometheus text)"
    );
    command.add_option(
        "--metrics-port",
        options.metrics_port,
        "Serve /metrics on this port of 127.0.0.1 while the run lasts (0: any free one, printed)"
    );
    command
        .add_option_function<std::string>(
            "--trace",
            [&options](const std::string& word) { options.trace = trace_display(word); },
            "Whether the trace is shown after the run"
        )
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    command.add_flag(
        "--json",
        options.is_json,
        "Print one JSON object with the result on standard output, "
        "nothing else"
    );
    command.add_flag("--events", options.has_events, "Print every event of the run as a JSON line");
    command.add_flag("--quiet", options.is_quiet, "No progress, no trace");
    command.add_flag(
        "--checkpoint",
        options.has_checkpoints,
        "Keep the run's file up to date after each node, so that a killed run can be resumed"
    );
}

void add_trace_choices(CLI::App& command, RunOptions& options) {
    command
        .add_option(
            "--trace-id",
            options.trace_id,
            "Your own id for the trace; 32 hexadecimal digits or a UUID become the trace's id"
        )
        ->check(CLI::Validator(
            [](const std::string& text) {
                return service::is_external_trace_id(text)
                           ? std::string()
                           : std::string("1 to 128 letters, digits, _ and - are allowed");
            },
            "ID"
        ));
    command.add_flag(
        "--keep-trace", options.is_trace_kept, "Export the trace whatever [trace.sampling] says"
    );
}

void add_run(CLI::App& program, RunOptions& options) {
    auto* command = program.add_subcommand("run", "Run an exported app and show its trace");
    command->add_option("app", options.file, "App file (.yml as exported)")->required();
    add_inputs(*command, options, "Input of the start form");
    command
        ->add_option(
            "--env",
            options.environment,
            "Value of an environment variable of the app, such as a secret that its export leaves "
            "out; NAME alone takes it from this process. Repeat it for several"
        )
        ->type_name("NAME[=VALUE]")
        ->allow_extra_args(false);
    command->add_option("-q,--query", options.query, "The user's message (chat apps)");
    command
        ->add_option(
            "--file",
            options.uploads,
            "A file of the user's, as path or URL, if the app takes files; repeat it for several"
        )
        ->type_name("PATH")
        ->allow_extra_args(false);
    command->add_option("--user", options.user, "End-user id")->capture_default_str();
    command->add_option(
        "--conversation",
        options.conversation_id,
        "Id of the conversation, for the app and the trace; nothing is kept from run to run"
    );
    add_trace_choices(*command, options);
    add_outputs(*command, options);
    command->add_option(
        "--pause-file",
        options.pause_file,
        "Where the run goes if it pauses (default: flowspan-<run id>.json)"
    );
    command->footer(
        "Exit codes: 0 done, 1 the run failed, 2 bad usage or bad file, 3 paused, 130 "
        "interrupted or stopped.\n"
        "Without a configured model the built-in demo model answers. Set FLOWSPAN_MODEL_BASE_URL "
        "and\nFLOWSPAN_MODEL_API_KEY to use an OpenAI-compatible endpoint. Spans go wherever the "
        "OTEL_*\nvariables say, for example OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318."
    );
}

void add_resume(CLI::App& program, RunOptions& options) {
    auto* command = program.add_subcommand(
        "resume", "Go on with a run that was paused, or killed with --checkpoint"
    );
    auto& resume = options.resume.emplace();
    command->add_option("run", options.file, "The file that the paused run was written to")
        ->required();
    command->add_option("-a,--action", resume.action, "The form's action that is taken");
    add_inputs(*command, options, "Field of the form");
    command->add_option("--form", resume.form_id, "Which form, if the run waits for several");
    add_outputs(*command, options);
    command->add_option(
        "--pause-file",
        options.pause_file,
        "Where the run goes if it pauses again (default: the same file)"
    );
    command->footer(
        "Without --action forms that nobody answered in time take their timeout branch, and the "
        "others\nkeep waiting. The file is not removed. Exit codes are those of `flowspan run`."
    );
}

void add_control(
    CLI::App& program,
    const char* name,
    const char* text,
    ControlAction action,
    ControlOptions& options
) {
    auto* command = program.add_subcommand(name, text);
    command->add_option(
        "run", options.run_id, "The run's id or its beginning; not needed if there is only one"
    );
    command->add_option("--reason", options.reason, "Shown with the run's end and in its trace");
    command->callback([&options, action] { options.action = action; });
    command->footer("Exit codes: 0 the run was told, 1 it does not answer, 2 no such run.");
}

void add_check(CLI::App& program, CheckOptions& options) {
    auto* command = program.add_subcommand(
        "check", "Say of app files what is supported, what is not, and where"
    );
    command->add_option("paths", options.paths, "Files and folders")->required();
    command->add_option(
        "-c,--config",
        options.config,
        "Configuration, which maps tools (default: flowspan.toml, if there is one)"
    );
    command->add_flag("--json", options.is_json, "One JSON object a file");
    command->add_flag("--quiet", options.is_quiet, "Only the summary");
    command->footer(
        "Exit codes: 0 no file is invalid and no node's data wrong, 1 otherwise, 2 bad usage."
    );
}

void add_graph(CLI::App& program, GraphOptions& options) {
    auto* command = program.add_subcommand("graph", "Draw what an app does, as text or as SVG");
    command->add_option("app", options.file, "App file (.yml as exported)")->required();
    command->add_flag("--svg", options.is_svg, "Draw SVG instead of text");
    command->add_option(
        "-o,--output", options.output, "Write to a file; a name that ends in .svg means SVG"
    );
    command->add_option(
        "-c,--config", options.config, "Configuration (default: flowspan.toml, if there is one)"
    );
    command->footer("Exit codes: 0 done, 2 bad usage, a bad file, or an app without a graph.");
}

void add_knowledge(CLI::App& program, KnowledgeOptions& options) {
    auto* command = program.add_subcommand(
        "knowledge", "Make and search the datasets of knowledge-retrieval nodes"
    );
    command->require_subcommand(1);
    command->add_option(
        "-c,--config", options.config, "Configuration (default: flowspan.toml, if there is one)"
    );
    const auto add_action = [&](const char* name, const char* text, KnowledgeAction action) {
        auto* sub = command->add_subcommand(name, text);
        sub->callback([&options, action] { options.action = action; });
        if (action != KnowledgeAction::list) {
            sub->add_option("dataset", options.dataset, "Name or id")->required();
        }
        return sub;
    };
    auto* create = add_action("create", "Make a dataset", KnowledgeAction::create);
    create->add_option("--description", options.description, "What it is about");
    auto* add = add_action("add", "Add documents", KnowledgeAction::add);
    add->add_option("files", options.files, "Text, PDF, Office, HTML, ... files")->required();
    add->add_option("-m,--metadata", options.metadata, "For filters; repeat it for several")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    add->add_option("--segment-size", options.segment_size, "Characters of a segment at most")
        ->check(CLI::Range(10, 100'000))
        ->capture_default_str();
    add->add_option("--overlap", options.overlap, "Characters that a cut paragraph repeats")
        ->check(CLI::Range(0, 10'000))
        ->capture_default_str();
    add_action("list", "Print all datasets", KnowledgeAction::list);
    auto* search = add_action("search", "Search a dataset", KnowledgeAction::search);
    search->add_option("query", options.query, "The question")->required();
    search->add_option("-k,--top-k", options.top_k, "Results at most")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->footer(
        "Ids of exported apps are mapped to datasets in flowspan.toml:\n"
        "[knowledge]\npath = \"knowledge.db\"\nmap = [{id = \"*\", dataset = \"docs\"}]\n\n"
        "Exit codes: 0 done, 1 no such dataset or file, 2 bad usage."
    );
}

/// The library only says that a command is missing; empty if the first word is one.
std::string describe_unknown_command(const CLI::App& program, int argc, const char* const* argv) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word.empty() || word.starts_with('-')) {
        return {};
    }
    std::string known;
    for (const auto* command : program.get_subcommands({})) {
        if (command->get_name() == word) {
            return {};
        }
        known += (known.empty() ? "" : ", ") + command->get_name();
    }
    return fmt::format(
        "There is no command `{}`; use one of: {}\nRun with --help for more information.\n",
        word,
        known
    );
}

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
    CLI::App program("Runs LLM workflow apps; every run is one OpenTelemetry trace.", "flowspan");
    program.set_version_flag("--version", kVersion);
    program.require_subcommand(1);
    RunOptions run;
    RunOptions resume;
    ControlOptions control;
    CheckOptions check;
    add_run(program, run);
    add_resume(program, resume);
    add_control(program, "pause", "Pause a run in another process", ControlAction::pause, control);
    add_control(program, "stop", "Stop a run in another process", ControlAction::stop, control);
    add_check(program, check);
    GraphOptions graph;
    add_graph(program, graph);
    KnowledgeOptions knowledge;
    add_knowledge(program, knowledge);
    TraceOptions trace;
    add_trace(program, trace);
    ParsedCommandLine parsed;
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // The library reports help, version and misuse alike by throwing.
        if (auto text = describe_unknown_command(program, argc, argv); !text.empty()) {
            parsed.message.emplace(std::move(text), ExitCode::bad_usage);
            return parsed;
        }
        std::ostringstream text;
        const int code = program.exit(error, text, text);
        parsed.message.emplace(text.str(), code == 0 ? ExitCode::done : ExitCode::bad_usage);
        return parsed;
    }
    if (program.got_subcommand("run")) {
        parsed.options.run = std::move(run);
    } else if (program.got_subcommand("resume")) {
        parsed.options.run = std::move(resume);
    } else if (program.got_subcommand("pause") || program.got_subcommand("stop")) {
        parsed.options.control = std::move(control);
    } else if (program.got_subcommand("knowledge")) {
        parsed.options.knowledge = std::move(knowledge);
    } else if (program.got_subcommand("trace")) {
        parsed.options.trace = std::move(trace);
    } else if (program.got_subcommand("graph")) {
        parsed.options.graph = std::move(graph);
    } else {
        parsed.options.check = std::move(check);
    }
    return parsed;
}

}  // namespace flowspan::cli
