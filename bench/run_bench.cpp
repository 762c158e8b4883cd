// flowspan_bench: measures whole runs with the program's own objects.

#include "benches.hpp"
#include "host.hpp"
#include "report.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::bench {

Cores choose_cores() {
    return {0, std::thread::hardware_concurrency() > 1 ? 1 : 0};
}

}  // namespace flowspan::bench

namespace {

using namespace flowspan::bench;

struct Options {
    Effort effort;
    std::vector<std::string> only;
    std::string json_file;
    std::string markdown_file;
    BurstOptions burst;
    bool is_idle_child = false;
};

void write_file(const std::string& path, const std::string& text) {
    if (path.empty()) {
        return;
    }
    std::ofstream file(path);
    file << text << '\n';
    if (!file.flush()) {
        give_up(fmt::format("cannot write {}", path));
    }
}

int measure_all(const Options& options) {
    struct Part {
        std::string_view name;
        std::vector<Measurement> (*measure)(const Effort&);
    };

    static constexpr Part kParts[] = {
        {"chains", measure_chains},
        {"containers", measure_containers},
        {"streams", measure_streams},
        {"bursts", measure_bursts},
        {"spans", measure_spans},
        {"receivers", measure_receivers},
        {"chaos", measure_chaos},
        {"start", measure_start},
    };
    std::vector<Measurement> results;
    for (const auto& part : kParts) {
        const bool is_wanted = options.only.empty() ||
                               std::ranges::find(options.only, part.name) != options.only.end();
        if (!is_wanted) {
            continue;
        }
        fmt::print(stderr, "bench: {}\n", part.name);
        auto lines = part.measure(options.effort);
        std::ranges::move(lines, std::back_inserter(results));
    }
    const auto machine = describe_machine();
    fmt::print("{}", to_table(results));
    write_file(options.json_file, to_json(results, machine));
    write_file(options.markdown_file, to_markdown(results, machine));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    // A child tells its result on standard output.
    spdlog::set_default_logger(spdlog::stderr_logger_mt("flowspan_bench"));
    spdlog::set_level(spdlog::level::warn);
    Options options;
    CLI::App app{"Measures whole runs: chains, streams, bursts and start-up."};
    app.add_flag("--quick", options.effort.is_quick, "a few seconds, to see that it works");
    app.add_option(
        "--only",
        options.only,
        "chains, containers, streams, bursts, spans, receivers, chaos, start"
    );
    app.add_option(
        "--receiver-seconds",
        options.effort.receiver_seconds,
        "how long each receiver is down, slow or babbling under full load, once"
    );
    app.add_option("--json", options.json_file, "write the results there");
    app.add_option("--markdown", options.markdown_file, "write the page docs/performance.md there");
    // Used by this program on itself.
    app.add_option("--burst-child", options.burst.runs)->group("");
    app.add_option("--loops", options.burst.loops)->group("");
    app.add_flag("--traced", options.burst.is_traced)->group("");
    app.add_flag("--warm", options.burst.is_warm)->group("");
    app.add_option("--model-url", options.burst.model_url)->group("");
    app.add_option("--repeat", options.burst.repeat)->group("");
    app.add_option("--seconds", options.burst.seconds)->group("");
    app.add_option("--otlp-endpoint", options.burst.otlp_endpoint)->group("");
    app.add_flag("--idle-child", options.is_idle_child)->group("");
    CLI11_PARSE(app, argc, argv);
    if (options.burst.runs > 0) {
        run_burst_child(options.burst);
        return 0;
    }
    if (options.is_idle_child) {
        run_idle_child();
        return 0;
    }
    return measure_all(options);
}
