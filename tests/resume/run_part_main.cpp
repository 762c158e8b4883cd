// One part of a run as a process of its own: `run_part JOB`, a JSON object. It starts the app
// `start`, or goes on with the run in `file`; keeps that file up to date; pauses or kills itself at
// the events `pause_at` and `kill_at`; keeps its spans in `store`. `headers` are those that a queue
// carried. Prints `status outputs` at the end.

#include "cli/run_file.hpp"
#include "cli/terminal.hpp"
#include "flowspan/export/provider.hpp"
#include "tests/resume/resumable_run.hpp"

#include <csignal>
#include <fstream>
#include <iterator>

namespace {

using namespace flowspan;

std::int64_t event_number(const json::value& job, std::string_view name) {
    const auto* found = find_member(job, name);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

std::string read(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::unique_ptr<exporting::Telemetry> start_telemetry(const json::value& job) {
    exporting::TelemetryConfig config;
    if (const auto store = string_member(job, "store"); !store.empty()) {
        config.store.emplace().path = store;
    }
    auto telemetry = exporting::Telemetry::start(std::move(config));
    return telemetry ? *std::move(telemetry) : nullptr;
}

resume::PartOptions make_options(const json::value& job) {
    resume::PartOptions options;
    options.model_url = string_member(job, "model_url");
    if (const auto* headers = find_member(job, "headers")) {
        for (const auto& [name, value] : headers->as_object()) {
            options.headers.emplace(std::string(name), std::string(string_or_empty(value)));
        }
    }
    options.hook = [kill_at = event_number(job, "kill_at"),
                    pause_at = event_number(job, "pause_at")](
                       const engine::Event&, int count, const engine::RunControl& run
                   ) {
        if (count == pause_at) {
            run.pause("as asked");
        }
        if (count == kill_at) {
            std::raise(SIGKILL);
        }
    };
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    const auto job = argc == 2 ? parse_json(argv[1]) : failure(ErrorCode::invalid_input, "");
    const auto telemetry = job ? start_telemetry(*job) : nullptr;
    if (telemetry == nullptr) {
        cli::write_error("run_part JOB\n");
        return 2;
    }
    const std::string app(string_member(*job, "start"));
    const std::string file(string_member(*job, "file"));
    cli::RunFile keeper(file, telemetry.get());
    auto options = make_options(*job);
    options.keeper = &keeper;
    const auto part =
        app.empty() ? resume::resume_run(read(file), options) : resume::start_run(app, options);
    if (part.paused) {
        keeper.keep(*part.paused);
    }
    cli::write_output(part.status + " " + part.outputs + "\n");
    return 0;
}
