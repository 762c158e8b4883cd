#include "draw/topology.hpp"

#include <cstdint>
#include <ranges>

namespace flowspan::draw {

namespace {

enum class Visit : std::uint8_t { unseen, open, done };

struct Step {
    std::size_t box;
    std::size_t next;  // index into the box's arrows
};

/// Depth first, without recursion: chains may be thousands of boxes long.
std::vector<bool> find_back_arrows(
    const Diagram& diagram, const std::vector<std::vector<std::size_t>>& outgoing
) {
    std::vector<bool> is_back(diagram.arrows.size());
    std::vector<Visit> visits(diagram.boxes.size());
    std::vector<Step> way;
    for (std::size_t root = 0; root < diagram.boxes.size(); ++root) {
        if (visits[root] != Visit::unseen) {
            continue;
        }
        visits[root] = Visit::open;
        way.push_back({root, 0});
        while (!way.empty()) {
            auto& step = way.back();
            if (step.next == outgoing[step.box].size()) {
                visits[step.box] = Visit::done;
                way.pop_back();
                continue;
            }
            const auto arrow = outgoing[step.box][step.next++];
            const auto target = diagram.arrows[arrow].target;
            if (visits[target] == Visit::open) {
                is_back[arrow] = true;
            } else if (visits[target] == Visit::unseen) {
                visits[target] = Visit::open;
                way.push_back({target, 0});
            }
        }
    }
    return is_back;
}

std::vector<std::size_t> find_order(const Diagram& diagram, const Topology& topology) {
    std::vector<std::size_t> order;
    std::vector<std::size_t> missing(diagram.boxes.size());
    std::vector<std::size_t> ready;
    for (const auto box :
         std::views::iota(std::size_t{0}, diagram.boxes.size()) | std::views::reverse) {
        missing[box] = topology.incoming[box].size();
        if (missing[box] == 0) {
            ready.push_back(box);
        }
    }
    while (!ready.empty()) {
        const auto box = ready.back();
        ready.pop_back();
        order.push_back(box);
        for (const auto arrow : topology.outgoing[box] | std::views::reverse) {
            const auto target = diagram.arrows[arrow].target;
            if (--missing[target] == 0) {
                ready.push_back(target);
            }
        }
    }
    return order;
}

}  // namespace

Topology find_topology(const Diagram& diagram) {
    Topology topology;
    std::vector<std::vector<std::size_t>> all(diagram.boxes.size());
    for (std::size_t arrow = 0; arrow < diagram.arrows.size(); ++arrow) {
        all[diagram.arrows[arrow].source].push_back(arrow);
    }
    const auto is_back = find_back_arrows(diagram, all);
    topology.outgoing.resize(diagram.boxes.size());
    topology.incoming.resize(diagram.boxes.size());
    topology.returning.resize(diagram.boxes.size());
    for (std::size_t box = 0; box < diagram.boxes.size(); ++box) {
        for (const auto arrow : all[box]) {
            if (is_back[arrow]) {
                topology.returning[box].push_back(arrow);
            } else {
                topology.outgoing[box].push_back(arrow);
                topology.incoming[diagram.arrows[arrow].target].push_back(arrow);
            }
        }
    }
    topology.order = find_order(diagram, topology);
    return topology;
}

}  // namespace flowspan::draw
