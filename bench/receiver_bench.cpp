#include "benches.hpp"
#include "child_process.hpp"
#include "host.hpp"
#include "model_server/raw_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

namespace flowspan::bench {

namespace {

struct BurstResult {
    double runs_per_s = 0;
    double p99_ms = 0;
    double added_mb = 0;
    std::int64_t unbooked = 0;
};

BurstResult run_child(
    const Effort& effort, int runs, const std::string& model_url, std::vector<std::string> more
) {
    std::vector<std::string> command = {
        (program_folder() / "flowspan_bench").string(),
        "--burst-child",
        std::to_string(runs),
        "--repeat",
        std::to_string(effort.pick(4, 1)),
        "--seconds",
        std::to_string(effort.receiver_seconds),
        "--warm",
        "--loops",
        std::to_string(std::max(std::thread::hardware_concurrency(), 1U)),
        "--model-url",
        model_url,
    };
    std::ranges::move(more, std::back_inserter(command));
    auto child = ChildProcess::start(command);
    if (!child) {
        give_up(child.error().message);
    }
    const auto line = parse_json(child->read_line());
    if (child->wait() != 0 || !line) {
        give_up("a burst did not finish");
    }
    BurstResult result;
    result.runs_per_s = line->at("runs_per_s").to_number<double>();
    result.p99_ms = line->at("p99_ms").to_number<double>();
    result.added_mb = line->at("added_kb").to_number<double>() / 1024;
    if (const auto* unbooked = line->as_object().if_contains("unbooked")) {
        result.unbooked = unbooked->to_number<std::int64_t>();
    }
    return result;
}

struct ReceiverLines {
    explicit ReceiverLines(const std::string& what)
        : p99{fmt::format("receiver_{}_p99_ratio", what),
              fmt::format("1000 runs at once, receiver {}: p99 to that without one", what),
              "x",
              {},
              1.01},
          memory{
              fmt::format("receiver_{}_added_mb", what),
              fmt::format("the same, memory added to that without one", what),
              "MB",
              {},
              64
          },
          unbooked{
              fmt::format("receiver_{}_unbooked", what),
              "the same, spans that the books do not explain",
              "spans",
              {},
              0
          } {}

    void add(const BurstResult& with, const BurstResult& without) {
        p99.runs.push_back(with.p99_ms / without.p99_ms);
        memory.runs.push_back(std::max(0.0, with.added_mb - without.added_mb));
        unbooked.runs.push_back(static_cast<double>(with.unbooked));
    }

    Measurement p99;
    Measurement memory;
    Measurement unbooked;
};

}  // namespace

std::vector<Measurement> measure_receivers(const Effort& effort) {
    raise_descriptor_limit();
    const auto server =
        ModelServerProcess::start({.tokens = 100, .first_ms = 200, .gap_ms = 20}, kAnyCore);
    if (!server) {
        give_up(server.error().message);
    }
    const auto model_url = server->base_url();
    const model_server::RawServer hanging([](model_server::RawConnection& connection) {
        connection.read_to_end();
    });
    const model_server::RawServer babbling([](model_server::RawConnection& connection) {
        static_cast<void>(connection.read_request());
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\xff\xff\xff garbage");
    });
    const auto down = fmt::format("http://127.0.0.1:{}/v1/traces", model_server::closed_port());
    Measurement loss{
        "tracing_throughput_loss",
        "5000 runs at once over open connections, throughput lost to tracing",
        "%",
        {},
        3,
    };
    ReceiverLines lines[] = {
        ReceiverLines("down"), ReceiverLines("hanging"), ReceiverLines("babbling")
    };
    const std::string endpoints[] = {
        down, hanging.url() + "/v1/traces", babbling.url() + "/v1/traces"
    };
    const bool is_long = effort.receiver_seconds > 0;
    for (int round = 0; round < (is_long ? 1 : effort.pick(3, 1)); ++round) {
        const int many = effort.pick(5000, 200);
        if (!is_long) {
            const auto untraced = run_child(effort, many, model_url, {});
            const auto recorded = run_child(effort, many, model_url, {"--traced"});
            loss.runs.push_back((1 - recorded.runs_per_s / untraced.runs_per_s) * 100);
        }
        const int runs = effort.pick(1000, 100);
        const auto traced = run_child(effort, runs, model_url, {"--traced"});
        for (std::size_t i = 0; i < std::size(lines); ++i) {
            lines[i].add(
                run_child(effort, runs, model_url, {"--traced", "--otlp-endpoint", endpoints[i]}),
                traced
            );
        }
    }
    std::vector<Measurement> results;
    if (!is_long) {
        results.push_back(std::move(loss));
    }
    for (auto& line : lines) {
        results.push_back(std::move(line.p99));
        results.push_back(std::move(line.memory));
        results.push_back(std::move(line.unbooked));
    }
    return results;
}

}  // namespace flowspan::bench
