#include "benches.hpp"
#include "host.hpp"
#include "sample_apps.hpp"

#include <string>
#include <utility>

namespace flowspan::bench {

namespace {

struct ChainCase {
    std::string app_text;
    int runs_per_batch;
    double divisor;  // nodes, where the result is per node
    Measurement untraced;
    Measurement traced;
};

std::vector<ChainCase> make_cases() {
    std::vector<ChainCase> cases;
    cases.push_back(
        {make_chain_app(3),
         2000,
         1,
         {"chain3_untraced_us", "3-node run, tracing off", "us", {}, 15},
         {"chain3_traced_us", "3-node run, tracing on", "us", {}, 25}}
    );
    cases.push_back(
        {make_chain_app(50),
         200,
         50,
         {"chain50_node_us", "50-node chain, a node, tracing off", "us", {}, 3},
         {"chain50_node_traced_us", "50-node chain, a node, tracing on", "us", {}, {}}}
    );
    cases.push_back(
        {make_fan_out_app(50),
         200,
         1,
         {"fanout50_us", "fan-out 1-50-1, a run, tracing off", "us", {}, {}},
         {"fanout50_traced_us", "fan-out 1-50-1, a run, tracing on", "us", {}, {}}}
    );
    return cases;
}

void measure(const Effort& effort, Host::Tracing tracing, std::vector<ChainCase>& cases) {
    Host host(tracing);
    const int batches = effort.pick(25, 3);
    for (auto& chain : cases) {
        const auto app = host.load(chain.app_text);
        const int count = chain.runs_per_batch / effort.pick(1, 10);
        host.time_runs(app, count);
        auto& target = tracing == Host::Tracing::on ? chain.traced : chain.untraced;
        for (int i = 0; i < batches; ++i) {
            target.runs.push_back(host.time_runs(app, count) / chain.divisor);
        }
    }
}

}  // namespace

std::vector<Measurement> measure_chains(const Effort& effort) {
    auto cases = make_cases();
    // The exporter's thread shares the core, so its work is in the numbers.
    pin_to_core(choose_cores().program);
    measure(effort, Host::Tracing::off, cases);
    measure(effort, Host::Tracing::on, cases);
    unpin();
    std::vector<Measurement> results;
    for (auto& chain : cases) {
        results.push_back(std::move(chain.untraced));
        results.push_back(std::move(chain.traced));
    }
    return results;
}

}  // namespace flowspan::bench
