#include "engine/frame.hpp"

#include "engine/testing/scripted_nodes.hpp"

#include <gtest/gtest.h>

namespace flowspan::engine {
namespace {

TEST(EdgeStates, SkippingALongChainDoesNotRecurse) {
    std::string nodes = "start:s\nbranch:b\n";
    std::string edges = "s>b b>n0:no ";
    constexpr int kLength = 20000;
    for (int i = 0; i < kLength; ++i) {
        nodes += "work:n" + std::to_string(i) + "\n";
        if (i > 0) {
            edges += "n" + std::to_string(i - 1) + ">n" + std::to_string(i) + " ";
        }
    }
    const auto graph = testing::make_graph(nodes, edges);
    EdgeStates states(*graph);
    const std::string chosen = "yes";
    const auto changes = states.complete(graph->find_node("b"), &chosen);
    EXPECT_EQ(changes.edges.size(), static_cast<std::size_t>(kLength));
    EXPECT_TRUE(changes.ready.empty());
    EXPECT_EQ(states.node(graph->find_node("n19999")), Decision::skipped);
}

TEST(EdgeStates, BothHandlesToOneNodeQueueItOnce) {
    const auto graph = testing::make_graph("start:s\nbranch:b\nwork:w", "s>b b>w:yes b>w:no");
    EdgeStates states(*graph);
    const std::string chosen = "yes";
    const auto changes = states.complete(graph->find_node("b"), &chosen);
    EXPECT_EQ(changes.ready.size(), 1U);
    ASSERT_EQ(changes.edges.size(), 2U);
    EXPECT_FALSE(changes.edges[0].is_taken) << "skips come first";
}

TEST(EdgeStates, UnreachableSourceKeepsItsTargetWaiting) {
    const auto graph = testing::make_graph("start:s\nwork:lost\nwork:w", "s>w lost>w");
    EdgeStates states(*graph);
    EXPECT_TRUE(states.complete(graph->find_node("s"), nullptr).ready.empty());
}

}  // namespace
}  // namespace flowspan::engine
