#pragma once
// The whole-run benches; each gives finished lines of the table.

#include "measure.hpp"

#include <string>
#include <vector>

namespace flowspan::bench {

/// How long to measure: `full` for docs and comparisons, `quick` to see that all benches work.
struct Effort {
    bool is_quick = false;
    /// How long each receiver is borne; 0: a few bursts, three times over.
    int receiver_seconds = 0;

    [[nodiscard]] int pick(int full, int quick) const { return is_quick ? quick : full; }
};

/// Cores of the measured program and of the model server; the same one if there is only one.
struct Cores {
    int program = 0;
    int server = 0;
};

[[nodiscard]] Cores choose_cores();

/// Chains and a fan-out of native nodes, tracing off and on, everything on one core.
[[nodiscard]] std::vector<Measurement> measure_chains(const Effort& effort);

/// Iterations and loops of 10,000 rounds with one native node each: time and memory.
[[nodiscard]] std::vector<Measurement> measure_containers(const Effort& effort);

/// A node's span with its facts, beside the bare SDK's, and a hook while tracing is off.
[[nodiscard]] std::vector<Measurement> measure_spans(const Effort& effort);

/// Many runs of all kinds at once, cancelled, paused and disturbed: how long one takes, and what is
/// wrong with the spans of all.
[[nodiscard]] std::vector<Measurement> measure_chaos(const Effort& effort);

/// A streaming run of 64 tokens beside the same call with bare libcurl.
[[nodiscard]] std::vector<Measurement> measure_streams(const Effort& effort);

/// Many streaming runs at once: how late the last ones are, and the memory of one.
[[nodiscard]] std::vector<Measurement> measure_bursts(const Effort& effort);

struct BurstOptions {
    int runs = 0;
    int loops = 1;  ///< threads that share the runs
    bool is_traced = false;
    bool is_warm = false;  ///< an earlier burst has left its connections open
    int repeat = 1;        ///< bursts one after the other; the times of all count
    int seconds = 0;       ///< and more of them until so much time has passed
    std::string model_url;
    std::string otlp_endpoint;  ///< empty: spans are dropped at once
};

/// What a receiver of traces that is down, hangs or answers garbage costs runs under full load, and
/// what tracing costs their throughput.
[[nodiscard]] std::vector<Measurement> measure_receivers(const Effort& effort);

/// The measured side of a burst, in a process of its own; prints one JSON line.
void run_burst_child(const BurstOptions& options);

/// From exec to exit of `flowspan run`, and the memory of a program that waits.
[[nodiscard]] std::vector<Measurement> measure_start(const Effort& effort);

/// A program with all its objects that does nothing; prints its memory in KB.
void run_idle_child();

}  // namespace flowspan::bench
