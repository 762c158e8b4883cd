#include "draw/layered_layout.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>

namespace flowspan::draw {

namespace {

// Distances in pixels.
constexpr double kBoxGap = 28;
constexpr double kLineGap = 18;
constexpr double kBendMin = 56;
constexpr double kBendMax = 260;

constexpr int kOrderSweeps = 12;
constexpr int kPlaceSweeps = 16;
// Long arrows are led around the boxes between by a stop in each layer. Beyond so many stops they
// go straight: a graph of that size is not read by following lines.
constexpr std::size_t kStopsMax = 20'000;

/// A box, or a stop of a long arrow, in its layer.
struct Item {
    double height = 0;
    double y = 0;  // upper side
    std::size_t layer = 0;
    std::size_t rank = 0;  // from above
    bool is_stop = false;
    std::vector<std::size_t> incoming;  // links
    std::vector<std::size_t> outgoing;
};

/// A piece of an arrow from one layer to the next.
struct Link {
    std::size_t source;
    std::size_t target;
    double source_offset;  // below the source's upper side
    double target_offset;
    double share;   // where it leaves, as part of the source's height
    double weight;  // how much it wants to be straight
};

class LayeredLayout {
public:
    LayeredLayout(
        const std::vector<LayoutBox>& boxes,
        const std::vector<LayoutArrow>& arrows,
        const std::vector<std::size_t>& order
    )
        : boxes_(boxes), arrows_(arrows), order_(order) {}

    Layout run() {
        if (boxes_.empty()) {
            return {};
        }
        assign_layers();
        make_items();
        order_layers();
        place();
        return finish();
    }

private:
    void assign_layers() {
        std::vector<std::vector<std::size_t>> outgoing(boxes_.size());
        std::vector<bool> has_incoming(boxes_.size());
        for (const auto& arrow : arrows_) {
            outgoing[arrow.source].push_back(arrow.target);
            has_incoming[arrow.target] = true;
        }
        layer_of_.assign(boxes_.size(), 0);
        for (const auto box : order_) {
            for (const auto target : outgoing[box]) {
                layer_of_[target] = std::max(layer_of_[target], layer_of_[box] + 1);
            }
        }
        // A box that nothing leads to stands just before what it leads to.
        for (const auto box : order_) {
            if (box == order_.front() || has_incoming[box] || outgoing[box].empty()) {
                continue;
            }
            auto nearest = std::numeric_limits<std::size_t>::max();
            for (const auto target : outgoing[box]) {
                nearest = std::min(nearest, layer_of_[target]);
            }
            layer_of_[box] = nearest - 1;
        }
        layers_.resize(*std::ranges::max_element(layer_of_) + 1);
    }

    void make_items() {
        items_.resize(boxes_.size());
        for (const auto box : order_) {
            items_[box].height = boxes_[box].height;
            items_[box].layer = layer_of_[box];
            add_to_layer(box);
        }
        std::size_t stops = 0;
        for (const auto& arrow : arrows_) {
            stops += layer_of_[arrow.target] - layer_of_[arrow.source] - 1;
        }
        const bool has_stops = stops <= kStopsMax;
        chains_.resize(arrows_.size());
        for (std::size_t i = 0; i < arrows_.size(); ++i) {
            make_chain(i, has_stops);
        }
    }

    void add_to_layer(std::size_t item) {
        auto& layer = layers_[items_[item].layer];
        items_[item].rank = layer.size();
        layer.push_back(item);
    }

    void make_chain(std::size_t number, bool has_stops) {
        const auto& arrow = arrows_[number];
        auto last = arrow.source;
        auto offset = boxes_[arrow.source].ports[arrow.port];
        const auto end = layer_of_[arrow.target];
        for (auto layer = layer_of_[arrow.source] + 1; has_stops && layer < end; ++layer) {
            Item stop;
            stop.is_stop = true;
            stop.layer = layer;
            items_.push_back(std::move(stop));
            add_to_layer(items_.size() - 1);
            connect(number, last, items_.size() - 1, offset);
            last = items_.size() - 1;
            offset = 0;
        }
        connect(number, last, arrow.target, offset);
    }

    void connect(std::size_t arrow, std::size_t source, std::size_t target, double offset) {
        const int stops = (items_[source].is_stop ? 1 : 0) + (items_[target].is_stop ? 1 : 0);
        const auto height = items_[source].height;
        links_.push_back(
            {source,
             target,
             offset,
             items_[target].height / 2,
             height > 0 ? offset / height : 0.5,
             stops == 0 ? 1.0 : (stops == 1 ? 2.0 : 8.0)}
        );
        items_[source].outgoing.push_back(links_.size() - 1);
        items_[target].incoming.push_back(links_.size() - 1);
        chains_[arrow].push_back(links_.size() - 1);
    }

    /// Median of where the neighbours stand, or the own rank without any.
    double wanted_rank(std::size_t item, bool is_forward) const {
        const auto& links = is_forward ? items_[item].incoming : items_[item].outgoing;
        if (links.empty()) {
            return static_cast<double>(items_[item].rank);
        }
        std::vector<double> ranks;
        for (const auto number : links) {
            const auto& link = links_[number];
            ranks.push_back(
                is_forward ? static_cast<double>(items_[link.source].rank) + link.share
                           : static_cast<double>(items_[link.target].rank)
            );
        }
        std::ranges::sort(ranks);
        const auto middle = ranks.size() / 2;
        return ranks.size() % 2 == 1 ? ranks[middle] : (ranks[middle - 1] + ranks[middle]) / 2;
    }

    void sort_layer(std::vector<std::size_t>& layer, bool is_forward) {
        std::vector<std::tuple<double, std::size_t, std::size_t>> wanted;  // rank, old rank, item
        wanted.reserve(layer.size());
        for (const auto item : layer) {
            wanted.emplace_back(wanted_rank(item, is_forward), items_[item].rank, item);
        }
        std::ranges::sort(wanted);
        for (std::size_t rank = 0; rank < layer.size(); ++rank) {
            layer[rank] = std::get<2>(wanted[rank]);
            items_[layer[rank]].rank = rank;
        }
    }

    /// Counts inversions with a Fenwick tree, layer by layer.
    std::uint64_t count_crossings() const {
        std::uint64_t crossings = 0;
        for (std::size_t layer = 1; layer < layers_.size(); ++layer) {
            std::vector<std::pair<double, std::size_t>> ends;  // source, target's rank
            for (const auto item : layers_[layer - 1]) {
                for (const auto number : items_[item].outgoing) {
                    const auto& link = links_[number];
                    if (items_[link.target].layer == layer) {
                        ends.emplace_back(
                            static_cast<double>(items_[item].rank) + link.share,
                            items_[link.target].rank
                        );
                    }
                }
            }
            std::ranges::sort(ends);
            std::vector<std::uint64_t> tree(layers_[layer].size() + 1);
            std::uint64_t seen = 0;
            for (const auto& [source, rank] : ends) {
                std::uint64_t not_below = 0;
                for (auto i = rank + 1; i > 0; i -= i & (~i + 1)) {
                    not_below += tree[i];
                }
                crossings += seen - not_below;
                ++seen;
                for (auto i = rank + 1; i < tree.size(); i += i & (~i + 1)) {
                    ++tree[i];
                }
            }
        }
        return crossings;
    }

    void order_layers() {
        auto best = layers_;
        auto fewest = count_crossings();
        for (int sweep = 0; sweep < kOrderSweeps && fewest > 0; ++sweep) {
            const bool is_forward = sweep % 2 == 0;
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                sort_layer(layers_[is_forward ? i : layers_.size() - 1 - i], is_forward);
            }
            if (const auto crossings = count_crossings(); crossings < fewest) {
                fewest = crossings;
                best = layers_;
            }
        }
        layers_ = std::move(best);
        for (const auto& layer : layers_) {
            for (std::size_t rank = 0; rank < layer.size(); ++rank) {
                items_[layer[rank]].rank = rank;
            }
        }
    }

    double gap_between(const Item& upper, const Item& lower) const {
        return upper.is_stop || lower.is_stop ? kLineGap : kBoxGap;
    }

    /// Where the item's links would be straight, and how much they want it.
    std::pair<double, double> wanted_y(std::size_t item, bool uses_in, bool uses_out) const {
        double sum = 0;
        double weight = 0;
        const auto& [height, y, layer, rank, is_stop, incoming, outgoing] = items_[item];
        for (const auto number : uses_in ? incoming : kNoLinks) {
            const auto& link = links_[number];
            sum += link.weight * (items_[link.source].y + link.source_offset - link.target_offset);
            weight += link.weight;
        }
        for (const auto number : uses_out ? outgoing : kNoLinks) {
            const auto& link = links_[number];
            sum += link.weight * (items_[link.target].y + link.target_offset - link.source_offset);
            weight += link.weight;
        }
        // Something without links stays, but gives way to everything.
        return weight > 0 ? std::pair(sum / weight, weight) : std::pair(y, 0.01);
    }

    /// The places nearest to the wanted ones, by weighted squares, that keep order and gaps:
    /// isotonic regression by merging neighbours that are out of order.
    void place_layer(const std::vector<std::size_t>& layer, bool uses_in, bool uses_out) {
        struct Block {
            double place;
            double weight;
            std::size_t count;
        };

        std::vector<Block> blocks;
        std::vector<double> offsets;
        double offset = 0;
        for (std::size_t i = 0; i < layer.size(); ++i) {
            if (i > 0) {
                const auto& upper = items_[layer[i - 1]];
                offset += upper.height + gap_between(upper, items_[layer[i]]);
            }
            offsets.push_back(offset);
            const auto [wanted, weight] = wanted_y(layer[i], uses_in, uses_out);
            blocks.push_back({wanted - offset, weight, 1});
            while (blocks.size() > 1 && blocks[blocks.size() - 2].place > blocks.back().place) {
                const auto last = blocks.back();
                blocks.pop_back();
                auto& into = blocks.back();
                const auto sum = into.weight + last.weight;
                into.place = (into.place * into.weight + last.place * last.weight) / sum;
                into.weight = sum;
                into.count += last.count;
            }
        }
        std::size_t i = 0;
        for (const auto& block : blocks) {
            for (std::size_t k = 0; k < block.count; ++k, ++i) {
                items_[layer[i]].y = block.place + offsets[i];
            }
        }
    }

    void place() {
        for (const auto& layer : layers_) {
            double y = 0;
            for (std::size_t i = 0; i < layer.size(); ++i) {
                y += i == 0 ? 0 : gap_between(items_[layer[i - 1]], items_[layer[i]]);
                items_[layer[i]].y = y;
                y += items_[layer[i]].height;
            }
        }
        for (int sweep = 0; sweep < kPlaceSweeps; ++sweep) {
            const bool is_forward = sweep % 2 == 0;
            // Towards the end both sides have their say.
            const bool uses_both = sweep >= kPlaceSweeps / 2;
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                place_layer(
                    layers_[is_forward ? i : layers_.size() - 1 - i],
                    is_forward || uses_both,
                    !is_forward || uses_both
                );
            }
        }
        auto top = std::numeric_limits<double>::max();
        for (const auto& item : items_) {
            top = std::min(top, item.y);
        }
        for (auto& item : items_) {
            item.y -= top;
        }
    }

    /// Left sides of the layers, and where the bends behind each begin.
    void place_columns() {
        std::vector<double> widths(layers_.size());
        std::vector<double> rooms(layers_.size());
        std::vector<double> climbs(layers_.size());
        for (std::size_t box = 0; box < boxes_.size(); ++box) {
            const auto layer = layer_of_[box];
            widths[layer] = std::max(widths[layer], boxes_[box].width);
            // Labels begin at the box, which may be narrower than its layer.
            rooms[layer] = std::max(rooms[layer], boxes_[box].width + boxes_[box].label_room);
        }
        for (const auto& link : links_) {
            const auto climb = items_[link.source].y + link.source_offset - items_[link.target].y -
                               link.target_offset;
            auto& highest = climbs[items_[link.source].layer];
            highest = std::max(highest, climb < 0 ? -climb : climb);
        }
        double x = 0;
        for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
            lefts_.push_back(x);
            const auto bend = x + std::max(widths[layer], rooms[layer]);
            bends_.push_back(bend);
            right_ = std::max(right_, bend);
            x = bend + std::clamp(kBendMin + climbs[layer] / 8, kBendMin, kBendMax);
        }
    }

    std::vector<Point> way_of(std::size_t arrow) const {
        std::vector<Point> way;
        for (const auto number : chains_[arrow]) {
            const auto& link = links_[number];
            const auto& source = items_[link.source];
            const auto y = source.y + link.source_offset;
            const auto left = lefts_[source.layer];
            way.push_back({source.is_stop ? left : left + boxes_[link.source].width, y});
            way.push_back({bends_[source.layer], y});
        }
        const auto& last = links_[chains_[arrow].back()];
        const auto& target = items_[last.target];
        way.push_back({lefts_[target.layer], target.y + last.target_offset});
        return way;
    }

    Layout finish() {
        place_columns();
        Layout layout;
        layout.width = right_;
        for (std::size_t box = 0; box < boxes_.size(); ++box) {
            layout.boxes.push_back({lefts_[layer_of_[box]], items_[box].y});
        }
        for (const auto& item : items_) {
            layout.height = std::max(layout.height, item.y + item.height);
        }
        for (std::size_t arrow = 0; arrow < arrows_.size(); ++arrow) {
            layout.ways.push_back(way_of(arrow));
        }
        return layout;
    }

    inline static const std::vector<std::size_t> kNoLinks;

    const std::vector<LayoutBox>& boxes_;
    const std::vector<LayoutArrow>& arrows_;
    const std::vector<std::size_t>& order_;
    std::vector<std::size_t> layer_of_;  // by box
    std::vector<Item> items_;            // the boxes first, then the stops
    std::vector<Link> links_;
    std::vector<std::vector<std::size_t>> chains_;  // by arrow: its links
    std::vector<std::vector<std::size_t>> layers_;  // items from above
    std::vector<double> lefts_;
    std::vector<double> bends_;
    double right_ = 0;
};

}  // namespace

Layout lay_out(
    const std::vector<LayoutBox>& boxes,
    const std::vector<LayoutArrow>& arrows,
    const std::vector<std::size_t>& order
) {
    return LayeredLayout(boxes, arrows, order).run();
}

}  // namespace flowspan::draw
