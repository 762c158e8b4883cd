#include "draw/layered_layout.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace flowspan::draw {
namespace {

struct Graph {
    std::vector<LayoutBox> boxes;
    std::vector<LayoutArrow> arrows;
    std::vector<std::size_t> order;

    [[nodiscard]] Layout lay_out() const { return draw::lay_out(boxes, arrows, order); }
};

/// Every arrow goes from a smaller to a greater number.
Graph random_graph(unsigned seed, std::size_t count) {
    std::mt19937 random(seed);
    const auto number = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    Graph graph;
    for (std::size_t i = 0; i < count; ++i) {
        LayoutBox box;
        box.width = 100.0 + number(200);
        box.height = 40.0 + number(100);
        const auto ports = 1 + number(3);
        for (unsigned port = 0; port < ports; ++port) {
            box.ports.push_back(box.height * (port + 1) / (ports + 1));
        }
        box.label_room = number(2) * 80.0;
        graph.boxes.push_back(box);
    }
    graph.order.resize(count);
    std::iota(graph.order.begin(), graph.order.end(), std::size_t{0});
    for (std::size_t source = 0; source + 1 < count; ++source) {
        for (auto arrows = 1 + number(2); arrows > 0; --arrows) {
            const auto target = source + 1 + number(static_cast<unsigned>(count - source - 1));
            graph.arrows.push_back(
                {source, number(static_cast<unsigned>(graph.boxes[source].ports.size())), target}
            );
        }
    }
    return graph;
}

bool overlap(const LayoutBox& a, Point at, const LayoutBox& b, Point bt) {
    return at.x < bt.x + b.width && bt.x < at.x + a.width && at.y < bt.y + b.height &&
           bt.y < at.y + a.height;
}

TEST(LayeredLayout, KeepsBoxesAndLabelsApart) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        const auto graph = random_graph(seed, 3 + seed);
        const auto layout = graph.lay_out();
        ASSERT_EQ(layout.boxes.size(), graph.boxes.size());
        for (std::size_t a = 0; a < graph.boxes.size(); ++a) {
            auto with_label = graph.boxes[a];
            with_label.width += with_label.label_room;
            for (std::size_t b = 0; b < graph.boxes.size(); ++b) {
                EXPECT_TRUE(
                    a == b || !overlap(with_label, layout.boxes[a], graph.boxes[b], layout.boxes[b])
                ) << "seed "
                  << seed << ": " << a << " and " << b;
            }
        }
    }
}

TEST(LayeredLayout, LeadsEveryArrowForwardFromItsPortToTheMiddleOfItsTarget) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        const auto graph = random_graph(seed, 12);
        const auto layout = graph.lay_out();
        for (std::size_t i = 0; i < graph.arrows.size(); ++i) {
            const auto& [source, port, target] = graph.arrows[i];
            const auto& way = layout.ways[i];
            ASSERT_GE(way.size(), 3U);
            ASSERT_EQ(way.size() % 2, 1U);
            EXPECT_DOUBLE_EQ(way.front().x, layout.boxes[source].x + graph.boxes[source].width);
            EXPECT_DOUBLE_EQ(
                way.front().y, layout.boxes[source].y + graph.boxes[source].ports[port]
            );
            EXPECT_DOUBLE_EQ(way.back().x, layout.boxes[target].x);
            EXPECT_DOUBLE_EQ(way.back().y, layout.boxes[target].y + graph.boxes[target].height / 2);
            for (std::size_t k = 1; k < way.size(); ++k) {
                EXPECT_GE(way[k].x, way[k - 1].x);
            }
        }
    }
}

TEST(LayeredLayout, LeadsLongArrowsAroundTheBoxesBetween) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        const auto graph = random_graph(seed, 14);
        const auto layout = graph.lay_out();
        for (const auto& way : layout.ways) {
            // The straight pieces of stops: they lie inside a layer.
            for (std::size_t k = 2; k + 2 < way.size(); k += 2) {
                for (std::size_t box = 0; box < graph.boxes.size(); ++box) {
                    const auto at = layout.boxes[box];
                    const bool is_beside =
                        at.x < way[k + 1].x && way[k].x < at.x + graph.boxes[box].width;
                    EXPECT_TRUE(
                        !is_beside || way[k].y <= at.y || way[k].y >= at.y + graph.boxes[box].height
                    ) << "seed "
                      << seed;
                }
            }
        }
    }
}

TEST(LayeredLayout, DrawsAChainInOneLine) {
    Graph graph;
    for (std::size_t i = 0; i < 5; ++i) {
        graph.boxes.push_back({.width = 100, .height = 50, .ports = {25}, .label_room = 0});
        graph.order.push_back(i);
        if (i > 0) {
            graph.arrows.push_back({i - 1, 0, i});
        }
    }
    const auto layout = graph.lay_out();
    for (std::size_t i = 1; i < 5; ++i) {
        EXPECT_DOUBLE_EQ(layout.boxes[i].y, layout.boxes[0].y);
        EXPECT_GT(layout.boxes[i].x, layout.boxes[i - 1].x + 100);
    }
    EXPECT_DOUBLE_EQ(layout.height, 50);
}

TEST(LayeredLayout, StaysWithinItsMeasures) {
    const auto graph = random_graph(7, 30);
    const auto layout = graph.lay_out();
    for (std::size_t i = 0; i < graph.boxes.size(); ++i) {
        EXPECT_GE(layout.boxes[i].x, 0);
        EXPECT_GE(layout.boxes[i].y, 0);
        EXPECT_LE(layout.boxes[i].x + graph.boxes[i].width, layout.width);
        EXPECT_LE(layout.boxes[i].y + graph.boxes[i].height, layout.height);
    }
}

TEST(LayeredLayout, TakesNothingAndTheVeryLarge) {
    EXPECT_TRUE(Graph().lay_out().boxes.empty());
    // A chain with an arrow from its start to every box: far more stops than are worth it.
    Graph graph;
    for (std::size_t i = 0; i < 1000; ++i) {
        graph.boxes.push_back({.width = 100, .height = 50, .ports = {25}, .label_room = 0});
        graph.order.push_back(i);
        if (i > 0) {
            graph.arrows.push_back({i - 1, 0, i});
            graph.arrows.push_back({0, 0, i});
        }
    }
    const auto layout = graph.lay_out();
    EXPECT_EQ(layout.ways.back().size(), 3U);
}

}  // namespace
}  // namespace flowspan::draw
