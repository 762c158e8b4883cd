#include "draw/testing/sample_app.hpp"

#include "dsl/loader.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace flowspan::draw::testing {

dsl::Graph load_graph(std::string_view nodes, std::string_view edges) {
    const auto text = fmt::format(
        "kind: app\nversion: 0.6.0\napp: {{name: Sample, mode: workflow}}\n"
        "workflow:\n  graph:\n    nodes: {}\n    edges: {}\n",
        nodes,
        edges
    );
    auto loaded = dsl::load_app(text, "sample.yml");
    for (const auto& problem : loaded.problems) {
        EXPECT_NE(problem.severity, dsl::Problem::Severity::error) << problem.message;
    }
    EXPECT_TRUE(loaded.app.has_value());
    return loaded.app ? std::move(loaded.app->graph) : dsl::Graph();
}

dsl::Graph support_graph() {
    return load_graph(
        R"([
  {id: s, data: {type: start, title: Start, variables: [{variable: question, type: paragraph}]}},
  {id: c, data: {type: question-classifier, title: What is it about?,
     model: {provider: langgenius/openai/openai, name: gpt-4o, mode: chat},
     query_variable_selector: [s, question],
     classes: [{id: '1', name: Refunds}, {id: '2', name: Everything else}]}},
  {id: h, data: {type: http-request, title: Look up, method: get, error_strategy: fail-branch,
     url: 'https://bot:secret@api.example.com/orders?id={{#s.question#}}', headers: '', params: '',
     authorization: {type: no-auth}, body: {type: none}}},
  {id: i, data: {type: iteration, title: Each order, start_node_id: is, iterator_selector: [h, body],
     output_selector: [t, output], is_parallel: true, parallel_nums: 4}},
  {id: is, data: {type: iteration-start, title: '', iteration_id: i}},
  {id: t, data: {type: template-transform, title: Write it down, template: '', variables: [], iteration_id: i}},
  {id: e, data: {type: end, title: Done, outputs: [{variable: text, value_selector: [i, output]}]}},
  {id: f, data: {type: end, title: Sorry, outputs: []}}])",
        R"([
  {source: s, target: c}, {source: c, target: h, sourceHandle: '1'},
  {source: c, target: f, sourceHandle: '2'}, {source: h, target: i},
  {source: h, target: f, sourceHandle: fail-branch}, {source: is, target: t}, {source: i, target: e}])"
    );
}

}  // namespace flowspan::draw::testing
