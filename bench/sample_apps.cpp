#include "sample_apps.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace flowspan::bench {

namespace {

/// Writes an app file node by node.
class AppText {
public:
    AppText(std::string_view name, std::string_view mode)
        : head_(fmt::format(
              "version: 0.3.0\nkind: app\napp: {{name: {}, mode: {}}}\nworkflow:\n  graph:\n",
              name,
              mode
          )) {}

    void add_node(std::string_view id, std::string_view type, std::string_view data) {
        nodes_ += fmt::format(
            "      - {{id: {0}, type: custom, data: {{type: {1}, title: {0}{2}{3}}}}}\n",
            id,
            type,
            data.empty() ? "" : ", ",
            data
        );
    }

    void add_edge(std::string_view source, std::string_view target, std::string_view handle) {
        edges_ += fmt::format(
            "      - {{id: {0}-{1}, source: {0}, target: {1}, sourceHandle: \"{2}\", targetHandle: "
            "target}}\n",
            source,
            target,
            handle
        );
    }

    [[nodiscard]] std::string finish() && {
        return head_ + "    nodes:\n" + nodes_ + "    edges:\n" + edges_;
    }

private:
    std::string head_;
    std::string nodes_;
    std::string edges_;
};

constexpr std::string_view kForm =
    "variables: [{variable: text, label: Text, type: text-input, required: true, max_length: 200}]";

constexpr std::string_view kContainerForm =
    "variables: [{variable: text, label: Text, type: paragraph, required: true}, {variable: list, "
    "label: List, type: json_object}]";

std::string aggregator_of(std::string_view source, std::string_view name) {
    return fmt::format("output_type: string, variables: [[{}, {}]]", source, name);
}

std::string condition_on(std::string_view source, std::string_view name) {
    return fmt::format(
        "cases: [{{id: \"true\", case_id: \"true\", logical_operator: and, conditions: [{{id: c1, "
        "variable_selector: [{}, {}], varType: string, comparison_operator: not empty, value: "
        "\"\"}}]}}]",
        source,
        name
    );
}

std::string end_with(std::string_view source, std::string_view name) {
    return fmt::format("outputs: [{{variable: result, value_selector: [{}, {}]}}]", source, name);
}

}  // namespace

std::string make_chain_app(int nodes) {
    AppText app(fmt::format("chain{}", nodes), "workflow");
    app.add_node("start", "start", kForm);
    std::string before = "start";
    std::string handle = "source";
    std::pair<std::string, std::string> value = {"start", "text"};
    for (int i = 1; i + 1 < nodes; ++i) {
        const bool is_branch = i % 2 == 0;
        const auto id = fmt::format("{}{}", is_branch ? "check" : "pick", i);
        app.add_node(
            id,
            is_branch ? "if-else" : "variable-aggregator",
            is_branch ? condition_on(value.first, value.second)
                      : aggregator_of(value.first, value.second)
        );
        app.add_edge(before, id, handle);
        if (!is_branch) {
            value = {id, "output"};
        }
        before = id;
        handle = is_branch ? "true" : "source";
    }
    app.add_node("finish", "end", end_with(value.first, value.second));
    app.add_edge(before, "finish", handle);
    return std::move(app).finish();
}

std::string make_fan_out_app(int branches) {
    AppText app("fan-out", "workflow");
    app.add_node("start", "start", kForm);
    for (int i = 0; i < branches; ++i) {
        const auto id = fmt::format("branch{}", i);
        app.add_node(id, "variable-aggregator", aggregator_of("start", "text"));
        app.add_edge("start", id, "source");
        app.add_edge(id, "join", "source");
    }
    app.add_node("join", "variable-aggregator", aggregator_of("branch0", "output"));
    app.add_node("finish", "end", end_with("join", "output"));
    app.add_edge("join", "finish", "source");
    return std::move(app).finish();
}

std::string make_iteration_app() {
    AppText app("iteration", "workflow");
    app.add_node("start", "start", kContainerForm);
    app.add_node(
        "rounds",
        "iteration",
        "start_node_id: first, iterator_selector: [start, list, items], output_selector: [pick, "
        "output], is_parallel: false, error_handle_mode: terminated, flatten_output: false"
    );
    app.add_node("first", "iteration-start", "iteration_id: rounds");
    app.add_node(
        "pick", "variable-aggregator", aggregator_of("start", "text") + ", iteration_id: rounds"
    );
    app.add_node("finish", "end", end_with("start", "text"));
    app.add_edge("start", "rounds", "source");
    app.add_edge("first", "pick", "source");
    app.add_edge("rounds", "finish", "source");
    return std::move(app).finish();
}

std::string make_loop_app(int count) {
    AppText app("loop", "workflow");
    app.add_node("start", "start", kContainerForm);
    app.add_node(
        "rounds",
        "loop",
        fmt::format(
            "start_node_id: first, loop_count: {}, break_conditions: [], logical_operator: and, "
            "loop_variables: [{{label: kept, var_type: string, value_type: constant, value: "
            "none}}]",
            count
        )
    );
    app.add_node("first", "loop-start", "loop_id: rounds");
    app.add_node(
        "keep",
        "assigner",
        "version: '2', loop_id: rounds, items: [{variable_selector: [rounds, kept], input_type: "
        "variable, operation: over-write, value: [start, text]}]"
    );
    app.add_node("finish", "end", end_with("start", "text"));
    app.add_edge("start", "rounds", "source");
    app.add_edge("first", "keep", "source");
    app.add_edge("rounds", "finish", "source");
    return std::move(app).finish();
}

std::string make_chat_app() {
    AppText app("chat", "advanced-chat");
    app.add_node("start", "start", "variables: []");
    app.add_node(
        "model",
        "llm",
        "model: {provider: openai, name: scripted, mode: chat, completion_params: {}}, "
        "prompt_template: [{id: p1, role: system, text: You are brief.}, "
        "{id: p2, role: user, text: \"{{#sys.query#}}\"}], "
        "context: {enabled: false, variable_selector: []}, vision: {enabled: false}"
    );
    app.add_node("reply", "answer", "answer: \"{{#model.text#}}\"");
    app.add_edge("start", "model", "source");
    app.add_edge("model", "reply", "source");
    return std::move(app).finish();
}

}  // namespace flowspan::bench
