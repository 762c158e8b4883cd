#pragma once
// The command line: what each command can be told.

#include "cli/trace_options.hpp"
#include "flowspan/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::cli {

/// Exit codes that scripts can rely on.
enum class ExitCode : int {
    done = 0,
    run_failed = 1,
    bad_usage = 2,  ///< wrong flags, a file that is no usable app, wrong inputs
    paused = 3,     ///< the run stands still and can be resumed
    interrupted = 130,
};

enum class TraceDisplay : std::uint8_t { automatic, always, never };

/// How `flowspan resume` answers what the run waits for.
struct ResumeOptions {
    std::string form_id;  ///< empty: the only form
    std::string action;   ///< empty: no form is answered
};

/// `flowspan run` and `flowspan resume`.
struct RunOptions {
    std::string file;                      ///< the app; for `resume` the paused run
    std::optional<ResumeOptions> resume;   ///< set for `resume`
    std::string pause_file;                ///< where a paused run goes; empty: a name from its id
    bool has_checkpoints = false;          ///< the file is kept up to date while the run is at work
    std::vector<std::string> inputs;       ///< `key=value`, `key=@path`
    std::string inputs_json;               ///< an object, or `@path` of one
    std::vector<std::string> environment;  ///< `NAME=VALUE`, or `NAME` alone
    std::string query;
    std::vector<std::string> uploads;  ///< `path` or URL of files that go with the query
    std::string user = "cli";
    std::string conversation_id;
    std::string config;
    std::string trace_out;
    std::string trace_id;  ///< the caller's own
    bool is_trace_kept = false;
    std::string store;  ///< the trace store's file, or `off`; empty: as configured
    std::string metrics_out;
    std::optional<std::uint16_t> metrics_port;
    TraceDisplay trace = TraceDisplay::automatic;
    bool is_json = false;
    bool has_events = false;
    bool is_quiet = false;
};

struct CheckOptions {
    std::vector<std::string> paths;
    std::string config;
    bool is_json = false;
    bool is_quiet = false;  ///< only the summary
};

struct GraphOptions {
    std::string file;
    std::string config;
    std::string output;  ///< a file; empty for standard output
    bool is_svg = false;
};

enum class KnowledgeAction : std::uint8_t { create, add, list, search };

struct KnowledgeOptions {
    KnowledgeAction action = KnowledgeAction::list;
    std::string config;
    std::string dataset;  ///< name or id
    std::string description;
    std::vector<std::string> files;
    std::vector<std::string> metadata;  ///< `key=value`
    std::string query;
    std::int64_t top_k = 4;
    std::int64_t segment_size = 1000;  ///< characters
    std::int64_t overlap = 50;         ///< characters
};

enum class ControlAction : std::uint8_t { stop, pause };

struct ControlOptions {
    ControlAction action = ControlAction::stop;
    std::string run_id;  ///< its beginning is enough; empty: the only run
    std::string reason;
};

struct Options {
    std::optional<RunOptions> run;
    std::optional<ControlOptions> control;
    std::optional<CheckOptions> check;
    std::optional<GraphOptions> graph;
    std::optional<KnowledgeOptions> knowledge;
    std::optional<TraceOptions> trace;
};

/// What to do, or what to print and with which exit code (help, version, wrong usage).
struct ParsedCommandLine {
    Options options;
    std::optional<std::pair<std::string, ExitCode>> message;
};

[[nodiscard]] ParsedCommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace flowspan::cli
