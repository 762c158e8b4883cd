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
    auto* show = add_action(*command, options, TraceAction::show, "show", "Print a trace's tree");
    show->add_option("trace", options.trace_id, "Trace id; its first digits are enough")
        ->required();
    show->add_flag("--json", options.is_json, "As OTLP JSON, one line a process");
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
        "Exit codes: 0 done, 2 bad usage, no such trace, or a store that cannot be read."
    );
}

}  // namespace flowspan::cli
