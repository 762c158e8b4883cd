#include "benches.hpp"
#include "child_process.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "host.hpp"
#include "sample_apps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace flowspan::bench {

namespace {

constexpr int kTokens = 100;
constexpr int kFirstMs = 200;
constexpr int kGapMs = 20;
constexpr double kIdealMs = kFirstMs + (kTokens - 1) * kGapMs;

/// The runs of one loop.
struct Burst {
    service::AppGenerateService* service;
    std::shared_ptr<const service::LoadedApp> app;
    SteadyTime start = {};
    std::vector<double> latencies_ms = {};
    int failures = 0;
};

Task<void> run_once(Burst* burst) {
    CountingSink sink;
    const auto request = make_request(burst->app);
    const auto result = co_await burst->service->generate(request, sink);
    const bool is_whole = result && result->run.status == engine::RunStatus::succeeded &&
                          sink.chunk_count() >= kTokens;
    burst->failures += is_whole ? 0 : 1;
    burst->latencies_ms.push_back(
        std::chrono::duration<double, std::milli>(real_clock().steady_now() - burst->start).count()
    );
}

Task<void> run_burst(Burst* burst, int count) {
    async::TaskGroup group(co_await async::this_executor());
    burst->latencies_ms.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        group.spawn(run_once, burst);
    }
    co_await group.join();
}

/// All start at the same moment, spread over the loops, and their time counts from that moment.
std::vector<double> time_burst(async::Runtime& runtime, const Burst& prototype, int runs) {
    const auto loops = static_cast<int>(runtime.loop_count());
    std::vector<Burst> bursts(runtime.loop_count(), prototype);
    std::vector<std::future<void>> ends;
    const auto start = real_clock().steady_now();
    for (int loop = 0; loop < loops; ++loop) {
        auto& burst = bursts[static_cast<std::size_t>(loop)];
        burst.start = start;
        const int share = runs / loops + (loop < runs % loops ? 1 : 0);
        ends.push_back(std::async(std::launch::async, [&runtime, &burst, loop, share] {
            const auto executor = runtime.loop_executor(static_cast<std::size_t>(loop));
            runtime.block_on(executor, run_burst, &burst, share);
        }));
    }
    std::vector<double> latencies_ms;
    for (std::size_t loop = 0; loop < bursts.size(); ++loop) {
        ends[loop].get();
        if (bursts[loop].failures > 0) {
            give_up(fmt::format("{} of {} runs failed", bursts[loop].failures, runs));
        }
        const auto& more = bursts[loop].latencies_ms;
        latencies_ms.insert(latencies_ms.end(), more.begin(), more.end());
    }
    return latencies_ms;
}

struct BurstLines {
    Measurement p50;
    Measurement p99;
    Measurement memory;
};

enum class Variety : std::uint8_t {
    plain,             ///< tracing off, no connection open
    open_connections,  ///< the burst finds those of an earlier one
    traced,
};

BurstLines make_lines(int runs, Variety variety) {
    struct Words {
        const char* key;
        const char* title;
    };

    static constexpr Words kWords[] = {
        {"", ""}, {"_open", " over open connections"}, {"_traced", " with tracing on"}
    };
    const bool is_target = runs == 5000 && variety != Variety::traced;
    const auto [key, words] = kWords[static_cast<int>(variety)];
    const auto limit = [&](double value) {
        return is_target ? std::optional<double>(value) : std::nullopt;
    };
    return {
        {fmt::format("runs{}{}_p50_ratio", runs, key),
         fmt::format("{} runs at once{}, p50 to the ideal of {} ms", runs, words, kIdealMs),
         "x",
         {},
         {}},
        {fmt::format("runs{}{}_p99_ratio", runs, key),
         fmt::format("{} runs at once{}, p99 to the ideal", runs, words),
         "x",
         {},
         limit(1.10)},
        {fmt::format("runs{}{}_kb_per_run", runs, key),
         fmt::format("{} runs at once{}, peak memory a run", runs, words),
         "KB",
         {},
         limit(40)},
    };
}

void measure(const std::string& model_url, int runs, Variety variety, BurstLines& lines) {
    std::vector<std::string> command{
        (program_folder() / "flowspan_bench").string(),
        "--burst-child",
        std::to_string(runs),
        "--loops",
        std::to_string(std::max(std::thread::hardware_concurrency(), 1U)),
        "--model-url",
        model_url
    };
    if (variety == Variety::open_connections) {
        command.emplace_back("--warm");
    } else if (variety == Variety::traced) {
        command.emplace_back("--traced");
    }
    auto child = ChildProcess::start(command);
    if (!child) {
        give_up(child.error().message);
    }
    const auto line = parse_json(child->read_line());
    if (child->wait() != 0 || !line) {
        give_up("a burst did not finish");
    }
    lines.p50.runs.push_back(line->at("p50_ms").to_number<double>() / kIdealMs);
    lines.p99.runs.push_back(line->at("p99_ms").to_number<double>() / kIdealMs);
    lines.memory.runs.push_back(line->at("kb_per_run").to_number<double>());
}

}  // namespace

void run_burst_child(const BurstOptions& options) {
    raise_descriptor_limit();
    Host host(
        options.is_traced ? Host::Tracing::on : Host::Tracing::off,
        options.model_url,
        options.otlp_endpoint
    );
    async::Runtime runtime({.loops = static_cast<std::size_t>(options.loops)});
    const Burst prototype{&host.program().generate_service(), host.load(make_chat_app())};
    time_burst(runtime, prototype, options.loops);
    const auto baseline_kb = resident_kb();
    reset_peak_resident();
    if (options.is_warm) {
        time_burst(runtime, prototype, options.runs);
    }
    std::vector<double> latencies_ms;
    double elapsed_ms = 0;
    for (int i = 0; i < options.repeat || elapsed_ms < options.seconds * 1000.0; ++i) {
        const auto burst = time_burst(runtime, prototype, options.runs);
        elapsed_ms += std::ranges::max(burst);
        latencies_ms.insert(latencies_ms.end(), burst.begin(), burst.end());
    }
    const auto added_kb = static_cast<double>(peak_resident_kb() - baseline_kb);
    json::object line{
        {"p50_ms", quantile(latencies_ms, 0.50)},
        {"p99_ms", quantile(latencies_ms, 0.99)},
        {"runs_per_s", static_cast<double>(latencies_ms.size()) * 1000 / elapsed_ms},
        {"kb_per_run", added_kb / options.runs},
        {"added_kb", added_kb},
    };
    if (options.is_traced) {
        host.telemetry().shutdown(std::chrono::milliseconds(500));
        const auto counts = host.telemetry().counts();
        const auto& sink = counts.sinks.front();
        line["open"] = counts.open;
        line["unbooked"] = static_cast<std::int64_t>(counts.started) -
                           static_cast<std::int64_t>(sink.exported + sink.queued) -
                           static_cast<std::int64_t>(sink.dropped.total());
    }
    fmt::print("{}\n", to_json_text(line));
}

std::vector<Measurement> measure_bursts(const Effort& effort) {
    raise_descriptor_limit();
    const auto server = ModelServerProcess::start(
        {.tokens = kTokens, .first_ms = kFirstMs, .gap_ms = kGapMs}, kAnyCore
    );
    if (!server) {
        give_up(server.error().message);
    }

    struct Subject {
        int runs;
        Variety variety;
    };

    const std::array subjects = {
        Subject{effort.pick(1000, 100), Variety::plain},
        Subject{effort.pick(5000, 200), Variety::plain},
        Subject{effort.pick(5000, 200), Variety::open_connections},
        Subject{effort.pick(5000, 200), Variety::traced}
    };
    std::vector<Measurement> results;
    for (const auto& [runs, variety] : subjects) {
        auto lines = make_lines(runs, variety);
        for (int i = 0; i < effort.pick(5, 1); ++i) {
            measure(server->base_url(), runs, variety, lines);
        }
        results.push_back(std::move(lines.p50));
        results.push_back(std::move(lines.p99));
        results.push_back(std::move(lines.memory));
    }
    return results;
}

}  // namespace flowspan::bench
