// A program that dies in the middle of a run: `killed_run APP_OR_FILE MODEL_URL FILE KILL_AT`.
// It starts the app, or goes on with the run in FILE if the first argument is FILE itself, keeps
// FILE up to date, and kills itself at that event (0: never). Prints `status outputs` at the end.

#include "cli/run_file.hpp"
#include "cli/terminal.hpp"
#include "tests/resume/resumable_run.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

int main(int argc, char** argv) {
    using namespace flowspan;
    if (argc != 5) {
        cli::write_error("killed_run APP_OR_FILE MODEL_URL FILE KILL_AT\n");
        return 2;
    }
    const std::string subject = argv[1];
    const std::string file = argv[3];
    const int kill_at = std::atoi(argv[4]);
    cli::RunFile keeper(file);
    resume::PartOptions options;
    options.model_url = argv[2];
    options.keeper = &keeper;
    options.hook = [kill_at](const engine::Event&, int count, const engine::RunControl&) {
        if (count == kill_at) {
            std::raise(SIGKILL);
        }
    };
    resume::Part part;
    if (subject == file) {
        std::ifstream stream(file, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        part = resume::resume_run(text, options);
    } else {
        part = resume::start_run(subject, options);
    }
    if (part.paused) {
        keeper.keep(*part.paused);
    }
    cli::write_output(part.status + " " + part.outputs + "\n");
    return 0;
}
