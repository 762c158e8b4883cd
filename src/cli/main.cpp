#include "cli/check_command.hpp"
#include "cli/control_command.hpp"
#include "cli/graph_command.hpp"
#include "cli/knowledge_command.hpp"
#include "cli/log_format.hpp"
#include "cli/options.hpp"
#include "cli/run_command.hpp"
#include "cli/terminal.hpp"
#include "cli/trace_command.hpp"
#include "trace/log_lines.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <exception>

namespace {

using namespace flowspan::cli;

/// Every stream is a descriptor, and the usual soft limit is far below the hard one.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

ExitCode run_command(int argc, const char* const* argv) {
    const auto parsed = parse_command_line(argc, argv);
    if (parsed.message) {
        const auto& [text, code] = *parsed.message;
        code == ExitCode::done ? write_output(text) : write_error(text);
        return code;
    }
    const auto terminal = Terminal::detect();
    if (parsed.options.run) {
        return run_app(*parsed.options.run, terminal);
    }
    if (parsed.options.control) {
        return run_control(*parsed.options.control);
    }
    if (parsed.options.knowledge) {
        return run_knowledge(*parsed.options.knowledge);
    }
    if (parsed.options.trace) {
        return run_trace(*parsed.options.trace, terminal);
    }
    if (parsed.options.graph) {
        return draw_graph(*parsed.options.graph, terminal);
    }
    return run_check(*parsed.options.check, terminal);
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that goes away is an error of the write, not the end of the program.
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    // Standard output belongs to the answer.
    spdlog::set_default_logger(spdlog::stderr_logger_mt("flowspan"));
    set_log_format();
    // Receivers of logs get the lines too.
    spdlog::default_logger()->sinks().push_back(flowspan::trace::make_log_event_sink());
    spdlog::set_level(spdlog::level::warn);
    try {
        return static_cast<int>(run_command(argc, argv));
    } catch (const std::exception& error) {
        write_error(fmt::format("flowspan: {}\n", error.what()));
        return static_cast<int>(ExitCode::bad_usage);
    }
}
