#include "report.hpp"

#include "flowspan/base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace flowspan::bench {

namespace {

constexpr std::string_view kMethod = R"(## How it was measured

`./dev bench` writes the numbers to `build/bench.json`; `build/release/flowspan_bench --markdown FILE` writes this
page. Each number is the median of its runs. Every bench uses the objects of `flowspan run`: the
generate service with its runners and trace decorators, the registry of node kinds, the
observability layer. "Tracing on" means that every span is recorded, queued, batched and handed to a
sink that drops it; the exporter's thread shares the core and is part of the number.

- **Chains and fan-out**: `start`, then `variable-aggregator` and `if-else` in turn, then `end`; runs
  one after the other on one core, the app loaded once.
- **Stream**: an app `start`, `llm`, `answer` against the scripted model server, which sends 64 tokens at
  once from a process on another core. Each run is paired with the same POST by a bare libcurl easy
  handle with a kept connection; the number is the median difference.
- **Runs at once**: all start at the same moment with no connection open, or, as in a program that
  has been up for a while, with the connections of an earlier burst. The server sends the first
  token after 200 ms and 99 more every 20 ms; the ideal is 2180 ms. Time counts from the common
  start. Memory is the peak of the process less what it held before, divided by the runs. The server
  is another process and shares the cores. Tracing is off unless a line says otherwise.
- **Spans**: the hooks of an `http-request` node and four attributes more, on one core, beside a span of
  the bare SDK with the same attributes, its stock processor and an exporter that drops it.
- **Receivers**: 1000 runs at once, five times over open connections, traced, with an OTLP receiver
  that refuses, hangs, or answers garbage, beside the same runs with spans dropped at once.
  Throughput is runs by the time from the common start to the last end.
- **Chaos**: the mix of `tests/chaos` on four loops, most of whose time is waits; the seed is another
  each time, and every span of every run is checked.
- **Containers**: an iteration and a loop with one native node. A step is a node that ran, the
  hidden start of each round included.
- **Cold start**: from `exec` of `flowspan run app.yml --json` to its exit, tracing as it comes.
- **Idle**: resident memory of a process that has built every object and waits.
)";

std::string number(double value) {
    if (value >= 100) {
        return fmt::format("{:.0f}", value);
    }
    return value >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.3f}", value);
}

std::string with_unit(double value, const Measurement& result) {
    return fmt::format("{} {}", number(value), result.unit);
}

std::string target_text(const Measurement& result) {
    return result.target ? fmt::format("<= {:g} {}", *result.target, result.unit) : "";
}

std::string spread(const Measurement& result) {
    const auto [low, high] = std::ranges::minmax(result.runs);
    return fmt::format("{} - {}", number(low), number(high));
}

}  // namespace

std::string to_table(const std::vector<Measurement>& results) {
    std::string text = fmt::format(
        "{:<56} {:>12} {:>20} {:>5} {:>14}\n", "", "median", "lowest - highest", "runs", "target"
    );
    for (const auto& result : results) {
        text += fmt::format(
            "{:<56} {:>12} {:>20} {:>5} {:>14} {}\n",
            result.title,
            with_unit(result.median(), result),
            spread(result),
            result.runs.size(),
            target_text(result),
            result.is_met() ? "" : "MISSED"
        );
    }
    return text;
}

std::string to_json(const std::vector<Measurement>& results, const Machine& machine) {
    json::object object;
    for (const auto& result : results) {
        json::object entry{
            {"median", result.median()},
            {"runs", json::array(result.runs.begin(), result.runs.end())},
            {"unit", result.unit},
        };
        if (result.target) {
            entry["target"] = *result.target;
        }
        object[result.key] = std::move(entry);
    }
    object["machine"] = json::object{
        {"cpu", machine.cpu},
        {"cores", machine.cores},
        {"memory_mb", machine.memory_mb},
        {"kernel", machine.kernel},
        {"compiler", machine.compiler},
        {"build", machine.build},
    };
    return to_json_text(object);
}

std::string to_markdown(const std::vector<Measurement>& results, const Machine& machine) {
    std::string text = fmt::format(
        "# Performance\n\nMeasured on {} cores of {}, {} MB memory, {}; {}, {}.\n\n",
        machine.cores,
        machine.cpu,
        machine.memory_mb,
        machine.kernel,
        machine.compiler,
        machine.build
    );
    text += "| what | target | measured | lowest - highest | runs |\n|---|---|---|---|---|\n";
    for (const auto& result : results) {
        text += fmt::format(
            "| {} | {} | {}{} | {} | {} |\n",
            result.title,
            target_text(result),
            with_unit(result.median(), result),
            result.is_met() ? "" : " (missed)",
            spread(result),
            result.runs.size()
        );
    }
    text += '\n';
    text += kMethod;
    return text;
}

}  // namespace flowspan::bench
