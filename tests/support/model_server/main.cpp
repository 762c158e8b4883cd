// flowspan_model_server: the scripted model server as a program.

#include "model_server/model_server.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using flowspan::model_server::ModelServer;
using flowspan::model_server::ModelServerConfig;

int fail(const std::string& message) {
    fmt::print(stderr, "flowspan_model_server: {}\n", message);
    return 2;
}

std::chrono::microseconds to_delay(double milliseconds) {
    return std::chrono::microseconds(static_cast<std::int64_t>(milliseconds * 1000.0));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Answers OpenAI chat completions on 127.0.0.1 by a script."};
    ModelServerConfig config;
    std::string script_file;
    int tokens = 0;
    double first_ms = 0;
    double gap_ms = 0;
    app.add_option("--port", config.port, "0: any free port");
    app.add_option("--threads", config.threads, "threads that share the port");
    app.add_option("--script", script_file, "YAML or JSON file");
    auto* const tokens_flag = app.add_option("--tokens", tokens, "tokens of an unscripted answer");
    auto* const first_flag = app.add_option("--first-ms", first_ms, "delay of the first token");
    auto* const gap_flag = app.add_option("--gap-ms", gap_ms, "delay between tokens");
    CLI11_PARSE(app, argc, argv);

    if (!script_file.empty()) {
        std::ifstream file(script_file);
        if (!file) {
            return fail("cannot read " + script_file);
        }
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        auto script = flowspan::model_server::parse_script(text);
        if (!script) {
            return fail(script_file + ": " + script.error().message);
        }
        config.script = *std::move(script);
    }
    if (tokens_flag->count() > 0) {
        config.script.tokens = tokens;
    }
    if (first_flag->count() > 0) {
        config.script.first_delay = to_delay(first_ms);
    }
    if (gap_flag->count() > 0) {
        config.script.gap = to_delay(gap_ms);
    }

    // Blocked before any thread starts, so that only sigwait sees them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    ModelServer server(config);
    if (auto started = server.start(); !started) {
        return fail(started.error().message);
    }
    fmt::print("listening on 127.0.0.1:{}\n", server.port());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&signals, &signal);
    server.stop();
    return 0;
}
