// Containers with the real engine: what rounds see, give and leave behind.

#include "dsl/loader.hpp"
#include "engine/graph.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/engine/engine.hpp"
#include "nodes/registry.hpp"
#include "nodes/testing/fake_services.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace flowspan::nodes {
namespace {

class NoSink final : public engine::EventSink {
public:
    void on_event(const engine::Event& /*event*/) override {}
};

class ContainerRun : public ::testing::Test {
protected:
    static Task<engine::RunResult> run_graph(
        std::shared_ptr<const engine::Graph> graph, value::VariablePool variables
    ) {
        const auto random = make_seeded_random(1);
        engine::RunRequest request;
        request.graph = std::move(graph);
        request.variables = std::move(variables);
        engine::GraphEngine engine(std::move(request), real_clock(), *random);
        NoSink sink;
        co_return co_await engine.run(sink);
    }

    engine::RunResult run(const std::string& nodes, const std::string& edges) {
        auto loaded = dsl::load_app(
            "app: {mode: workflow, name: Test}\nkind: app\nversion: 0.3.0\nworkflow:\n  graph:\n"
            "    nodes:\n" +
                nodes + "    edges:\n" + edges,
            "test.yml"
        );
        for (const auto& problem : loaded.problems) {
            EXPECT_NE(problem.severity, dsl::Problem::Severity::error) << problem.message;
        }
        if (!loaded.app) {
            return {};
        }
        const Registry registry(fakes_.services());
        Problems problems;
        const auto graph = engine::Graph::compile(loaded.app->graph, registry, problems);
        for (const auto& problem : problems) {
            ADD_FAILURE() << problem.message;
        }
        if (graph == nullptr) {
            return {};
        }
        async::Runtime runtime;
        return runtime.block_on(run_graph, graph, variables_);
    }

    testing::FakeServices fakes_;
    value::VariablePool variables_;
};

constexpr const char* kIterationNodes = R"(
      - {id: start, data: {type: start, title: Start, variables: []}}
      - id: it
        data: {type: iteration, title: It, start_node_id: s, iterator_selector: [start, list],
          output_selector: [pick, output], MODE}
      - {id: s, parentId: it, data: {type: iteration-start, title: S, iteration_id: it}}
      - id: check
        parentId: it
        data: {type: if-else, title: Check, iteration_id: it, cases: [{case_id: "true",
          logical_operator: and, conditions: [{variable_selector: [it, item],
          comparison_operator: start with, value: a}]}]}
      - {id: pick, parentId: it, data: {type: variable-aggregator, title: Pick, iteration_id: it,
          output_type: string, variables: [[it, item]]}}
      - {id: said, parentId: it, data: {type: answer, title: Said, iteration_id: it,
          answer: "{{#it.index#}}={{#it.item#}}"}}
      - {id: end, data: {type: end, title: End, outputs: [
          {variable: items, value_selector: [it, output]},
          {variable: leaked, value_selector: [pick, output]}]}}
)";

constexpr const char* kIterationEdges = R"(
      - {source: start, target: it, sourceHandle: source}
      - {source: s, target: check, sourceHandle: source}
      - {source: check, target: pick, sourceHandle: "true"}
      - {source: pick, target: said, sourceHandle: source}
      - {source: it, target: end, sourceHandle: source}
)";

std::string iteration_nodes(const std::string& mode) {
    std::string nodes = kIterationNodes;
    const auto at = nodes.find("MODE");
    return nodes.replace(at, 4, mode);
}

TEST_F(ContainerRun, IteratesOverCopiesOfTheVariables) {
    variables_.set("start", "list", value::Value(json::array{"a1", "b", "a2"}));
    const auto result = run(iteration_nodes("is_parallel: false"), kIterationEdges);
    EXPECT_EQ(result.status, engine::RunStatus::succeeded);
    EXPECT_EQ(
        json::value(result.outputs),
        parse_json(R"({"answer": "2=a2", "files": [], "items": ["a1", null, "a2"], "leaked": null})"
        )
            .value()
    );
}

TEST_F(ContainerRun, IteratesOverSeveralItemsAtATime) {
    json::array list;
    for (int i = 0; i < 50; ++i) {
        list.emplace_back("a" + std::to_string(i));
    }
    variables_.set("start", "list", value::Value(list));
    const auto result =
        run(iteration_nodes("is_parallel: true, parallel_nums: 7"), kIterationEdges);
    EXPECT_EQ(result.status, engine::RunStatus::succeeded);
    EXPECT_EQ(result.outputs.at("items"), list);
    EXPECT_EQ(result.outputs.at("answer"), "49=a49");
}

constexpr const char* kLoopNodes = R"(
      - {id: start, data: {type: start, title: Start, variables: []}}
      - id: rounds
        data: {type: loop, title: Loop, start_node_id: s, loop_count: 5, logical_operator: and,
          break_conditions: [{variable_selector: [rounds, n], comparison_operator: "≥", value: "3"}],
          loop_variables: [{label: n, var_type: number, value_type: constant, value: 0}]}
      - {id: s, parentId: rounds, data: {type: loop-start, title: S, loop_id: rounds}}
      - {id: add, parentId: rounds, data: {type: assigner, title: Add, version: "2",
          loop_id: rounds, items: [{variable_selector: [rounds, n], input_type: constant,
          operation: "+=", value: 1}]}}
      - {id: said, parentId: rounds, data: {type: answer, title: Said, loop_id: rounds,
          answer: "{{#rounds.n#}};"}}
      - {id: end, data: {type: end, title: End, outputs: [
          {variable: n, value_selector: [rounds, n]},
          {variable: count, value_selector: [rounds, loop_round]},
          {variable: last, value_selector: [said, answer]}]}}
)";

constexpr const char* kLoopEdges = R"(
      - {source: start, target: rounds, sourceHandle: source}
      - {source: s, target: add, sourceHandle: source}
      - {source: add, target: said, sourceHandle: source}
      - {source: rounds, target: end, sourceHandle: source}
)";

TEST_F(ContainerRun, LoopsOverSharedVariables) {
    const auto result = run(kLoopNodes, kLoopEdges);
    EXPECT_EQ(result.status, engine::RunStatus::succeeded);
    EXPECT_EQ(
        json::value(result.outputs),
        parse_json(R"({"answer": "1;2;3;", "files": [], "n": 3, "count": 3, "last": "3;"})").value()
    );
}

TEST_F(ContainerRun, EndsTheLoopAfterTheRoundOfALoopEnd) {
    std::string nodes = kLoopNodes;
    nodes +=
        "      - {id: stop, parentId: rounds, data: {type: loop-end, title: Stop, "
        "loop_id: rounds}}\n";
    std::string edges = kLoopEdges;
    edges += "      - {source: said, target: stop, sourceHandle: source}\n";
    const auto result = run(nodes, edges);
    EXPECT_EQ(result.status, engine::RunStatus::succeeded);
    EXPECT_EQ(result.outputs.at("count"), 1);
    EXPECT_EQ(result.outputs.at("answer"), "1;");
}

}  // namespace
}  // namespace flowspan::nodes
