#include "cli/trace_options.hpp"

#include <CLI/CLI.hpp>

namespace flowspan::cli {

namespace {

CLI::App* add_action(
    CLI::App& command, TraceOptions& options, TraceAction action, const char* name, const char* text
) {
    auto* sub = command.add_subcommand(name, text);
    sub->callback([&options, action] { options.action = action; });
    return sub;
}

void add_list(CLI::App& command, TraceOptions& options) {
    auto* list = add_action(
        command, options, TraceAction::list, "list", "Print the recent traces, newest first"
    );
    list->add_option("--app", options.app, "Only of apps whose name holds this, or with this id");
    list->add_option(
        "--status",
        options.status,
        "Only with this status: running, succeeded, failed, partial-succeeded, stopped, paused, "
        "interrupted, ok"
    );
    list->add_option(
        "--since", options.since, "Only started since: 90s, 30m, 2h, 7d, or a date (2026-01-31)"
    );
    list->add_option("-n,--limit", options.limit, "Traces at most")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    list->add_flag("--json", options.is_json, "One JSON object a trace");
}

void add_test(CLI::App& command, TraceOptions& options) {
    auto* test = add_action(
        command,
        options,
        TraceAction::test,
        "test",
        "Send a sample trace to each receiver and say what came back"
    );
    test->add_flag("--json", options.is_json, "One JSON object a receiver");
    test->footer(
        "Receivers are those of [[trace.destinations]] in flowspan.toml and of the OTEL_* "
        "variables.\nExit codes: 0 all took it, 1 one did not, 2 bad usage or no receiver."
    );
}

void add_score(CLI::App& command, TraceOptions& options) {
    auto* score = add_action(
        command, options, TraceAction::score, "score", "Add feedback to a trace, wherever it went"
    );
    score->add_option("trace", options.trace_id, "Trace id, its first digits, or a run's id")
        ->required();
    score->add_option("--name", options.score_name, "What is judged")->required();
    score->add_option("--value", options.score_value, "A number");
    score->add_option("--label", options.score_label, "A word instead, or besides");
    score->add_option("--comment", options.score_comment, "Why");
    score->add_option("--source", options.score_source, "Who judged")->capture_default_str();
    score->add_option(
        "--span", options.span_id, "Span id, for a trace that the local store does not have"
    );
    score->footer("Exit codes: 0 done, 1 a receiver did not get it, 2 bad usage.");
}

}  // namespace

void add_trace(CLI::App& program, TraceOptions& options) {
    auto* command = program.add_subcommand("trace", "Look at traces, running ones too");
    command->require_subcommand(1);
    command->add_option(
        "-c,--config", options.config, "Configuration (default: flowspan.toml, if there is one)"
    );
    command->add_option(
        "--store", options.store, "File of the trace store (default: as the runs write it)"
    );
    add_list(*command, options);
    add_test(*command, options);
    add_score(*command, options);
    auto* content = add_action(
        *command, options, TraceAction::content, "content", "Print content that a span refers to"
    );
    content->add_option("reference", options.reference, "As it stands on the span")->required();
    auto* show = add_action(*command, options, TraceAction::show, "show", "Print a trace's tree");
    show->add_option("trace", options.trace_id, "Trace id, its first digits, or a run's id")
        ->required();
    show->add_flag("--json", options.is_json, "As OTLP JSON, one line a process");
    auto* follow = add_action(
        *command, options, TraceAction::follow, "follow", "Show a running trace as it grows"
    );
    follow->add_option(
        "trace",
        options.trace_id,
        "Trace id, its first digits, or a run's id (default: the newest run)"
    );
    auto* status = add_action(
        *command,
        options,
        TraceAction::status,
        "status",
        "Print where the spans of the last processes went"
    );
    status->add_option("-n,--processes", options.process_limit, "Processes at most")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    status->add_flag("--json", options.is_json, "One JSON object");
    command->footer(
        "Exit codes: 0 done, 2 bad usage, no such trace, or a store that cannot be read, 130 "
        "interrupted."
    );
}

}  // namespace flowspan::cli
