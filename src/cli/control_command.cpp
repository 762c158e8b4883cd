#include "cli/control_command.hpp"

#include "cli/run_channel.hpp"
#include "cli/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flowspan::cli {

namespace {

std::string describe(const std::vector<ListedRun>& runs) {
    std::string text;
    for (const auto& run : runs) {
        text += fmt::format("  {}  {}\n", run.run_id, run.app);
    }
    return text;
}

ExitCode refuse(const std::string& text) {
    write_error("flowspan: " + text);
    return ExitCode::bad_usage;
}

}  // namespace

ExitCode run_control(const ControlOptions& options) {
    const auto runs = list_runs();
    if (runs.empty()) {
        return refuse("no run is at work\n");
    }
    std::vector<ListedRun> meant;
    std::ranges::copy_if(runs, std::back_inserter(meant), [&](const ListedRun& run) {
        return run.run_id.starts_with(options.run_id);
    });
    if (meant.empty()) {
        return refuse(fmt::format(
            "no run at work has an id that begins with `{}`; there are\n{}",
            options.run_id,
            describe(runs)
        ));
    }
    if (meant.size() > 1) {
        return refuse("several runs are at work; say which one\n" + describe(meant));
    }
    const auto& run = meant.front();
    const bool is_stop = options.action == ControlAction::stop;
    if (const auto sent = send_command(run, is_stop ? "abort" : "pause", options.reason); !sent) {
        write_error(fmt::format("flowspan: {}: {}\n", run.run_id, sent.error().describe()));
        return ExitCode::run_failed;
    }
    write_output(fmt::format("{}: asked to {}\n", run.run_id, is_stop ? "stop" : "pause"));
    return ExitCode::done;
}

}  // namespace flowspan::cli
