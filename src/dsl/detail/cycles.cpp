#include "dsl/detail/cycles.hpp"

#include <algorithm>
#include <limits>

namespace flowspan::dsl::detail {

namespace {

constexpr auto kNone = std::numeric_limits<std::size_t>::max();

// Tarjan's strongly connected components, with a stack of its own: a chain of ten thousand nodes
// must not use up the thread's.
class Components {
public:
    explicit Components(const std::vector<std::vector<std::size_t>>& targets)
        : targets_(targets),
          order_(targets.size(), kNone),
          low_(targets.size(), 0),
          component_(targets.size(), kNone) {
        for (std::size_t node = 0; node < targets.size(); ++node) {
            if (order_[node] == kNone) {
                visit(node);
            }
        }
    }

    [[nodiscard]] const std::vector<std::size_t>& of_nodes() const noexcept { return component_; }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    struct Step {
        std::size_t node;
        std::size_t next_target;
    };

    void enter(std::size_t node) {
        order_[node] = low_[node] = clock_++;
        open_.push_back(node);
        steps_.push_back({node, 0});
    }

    void visit(std::size_t root) {
        enter(root);
        while (!steps_.empty()) {
            const auto node = steps_.back().node;
            if (steps_.back().next_target < targets_[node].size()) {
                const auto target = targets_[node][steps_.back().next_target++];
                if (order_[target] == kNone) {
                    enter(target);
                } else if (component_[target] == kNone) {
                    low_[node] = std::min(low_[node], order_[target]);
                }
                continue;
            }
            steps_.pop_back();
            if (!steps_.empty()) {
                const auto parent = steps_.back().node;
                low_[parent] = std::min(low_[parent], low_[node]);
            }
            if (low_[node] == order_[node]) {
                leave(node);
            }
        }
    }

    void leave(std::size_t root) {
        std::size_t node = kNone;
        while (node != root) {
            node = open_.back();
            open_.pop_back();
            component_[node] = count_;
        }
        ++count_;
    }

    const std::vector<std::vector<std::size_t>>& targets_;
    std::vector<std::size_t> order_;
    std::vector<std::size_t> low_;
    std::vector<std::size_t> component_;
    std::vector<std::size_t> open_;
    std::vector<Step> steps_;
    std::size_t clock_ = 0;
    std::size_t count_ = 0;
};

// The shortest way from `start` back to itself inside its component; empty if there is none.
std::vector<std::size_t> shortest_cycle(
    const std::vector<std::vector<std::size_t>>& targets,
    const std::vector<std::size_t>& components,
    std::vector<std::size_t>& came_from,
    std::size_t start
) {
    std::vector<std::size_t> queue = {start};
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const auto node = queue[i];
        for (const auto target : targets[node]) {
            if (target == start) {
                std::vector<std::size_t> cycle;
                for (auto at = node; at != start; at = came_from[at]) {
                    cycle.push_back(at);
                }
                cycle.push_back(start);
                std::ranges::reverse(cycle);
                return cycle;
            }
            if (components[target] == components[start] && came_from[target] == kNone) {
                came_from[target] = node;
                queue.push_back(target);
            }
        }
    }
    return {};
}

}  // namespace

std::vector<std::vector<std::size_t>> find_cycles(
    const std::vector<std::vector<std::size_t>>& targets
) {
    const Components components(targets);
    std::vector<bool> is_done(components.count(), false);
    std::vector<std::size_t> came_from(targets.size(), kNone);
    std::vector<std::vector<std::size_t>> cycles;
    for (std::size_t node = 0; node < targets.size(); ++node) {
        const auto component = components.of_nodes()[node];
        if (is_done[component]) {
            continue;
        }
        is_done[component] = true;
        if (auto cycle = shortest_cycle(targets, components.of_nodes(), came_from, node);
            !cycle.empty()) {
            cycles.push_back(std::move(cycle));
        }
    }
    return cycles;
}

}  // namespace flowspan::dsl::detail
