#include "dsl/loader.hpp"

#include "flowspan/value/value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace flowspan::dsl {
namespace {

using Severity = Problem::Severity;

std::string sample_path(std::string_view name) {
    return std::string(FLOWSPAN_DSL_TESTDATA) + "/" + std::string(name);
}

App load_sample(std::string_view name) {
    auto result = load_app_file(sample_path(name));
    for (const auto& problem : result.problems) {
        EXPECT_NE(problem.severity, Severity::error) << problem.message;
    }
    EXPECT_TRUE(result.app) << name;
    return result.app ? *std::move(result.app) : App();
}

const NodeSpec& node(const App& app, std::string_view id) {
    const auto found = std::ranges::find(app.graph.nodes, id, &NodeSpec::id);
    EXPECT_NE(found, app.graph.nodes.end()) << id;
    return found == app.graph.nodes.end() ? app.graph.nodes.front() : *found;
}

// `line:column code` of every problem, for comparison at a glance.
std::vector<std::string> places(const LoadResult& result) {
    std::vector<std::string> lines;
    for (const auto& problem : result.problems) {
        lines.push_back(
            std::to_string(problem.position.line) + ":" + std::to_string(problem.position.column) +
            " " + problem.code
        );
    }
    return lines;
}

TEST(Loader, BringsTheOldestShapesUpToDate) {
    const auto app = load_sample("oldest_workflow.yml");
    EXPECT_EQ(app.mode, AppMode::workflow);
    EXPECT_EQ(app.name, "Old shapes");
    EXPECT_EQ(app.version, "0.1.0");
    EXPECT_EQ(app.graph.root_id, "100");
    EXPECT_EQ(app.graph.nodes.size(), 8U) << "the note is gone, a container start has come";
    EXPECT_EQ(
        value::python_json(app.features),
        R"({"file_upload": {"enabled": true, "number_limits": 5, "allowed_file_upload_methods": )"
        R"(["local_file"], "allowed_file_types": ["image"], "allowed_file_extensions": []}})"
    );
    EXPECT_FALSE(node(app, "200").data.get_object().contains("cases"));
    EXPECT_EQ(node(app, "500").type, "variable-aggregator");
    const auto& llm = node(app, "320");
    EXPECT_EQ(llm.parent_id, "300");
    EXPECT_EQ(value::python_json(llm.data.at("vision")), R"({"enabled": false})");
    EXPECT_FALSE(llm.data.get_object().contains("prompt_config"));
    const auto& outputs = node(app, "400").data.at("outputs").get_array();
    EXPECT_EQ(outputs[0].at("value_type"), json::value("array[string]"));
    EXPECT_EQ(outputs[1].at("value_type"), json::value("any"));
}

TEST(Loader, GivesAnIterationOfOldFilesItsStart) {
    const auto app = load_sample("oldest_workflow.yml");
    const auto& iteration = node(app, "300");
    EXPECT_EQ(iteration.data.at("start_node_id"), json::value("300start"));
    EXPECT_EQ(iteration.data.at("is_parallel"), json::value(false));
    EXPECT_EQ(iteration.data.at("parallel_nums"), json::value(10));
    EXPECT_EQ(iteration.data.at("error_handle_mode"), json::value("terminated"));
    const auto& start = node(app, "300start");
    EXPECT_EQ(start.type, "iteration-start");
    EXPECT_EQ(start.parent_id, "300");
    EXPECT_EQ(start.data.at("iteration_id"), json::value("300"));
    const auto& edge = app.graph.edges.back();
    EXPECT_EQ(edge.source, "300start");
    EXPECT_EQ(edge.target, "310");
    EXPECT_EQ(edge.source_handle, "source");
    EXPECT_EQ(edge.id, "edge_6");
}

TEST(Loader, NumbersEdgesByFileOrderAndReadsNullHandlesAsSource) {
    const auto app = load_sample("oldest_workflow.yml");
    EXPECT_EQ(app.graph.edges[1].id, "edge_1");
    EXPECT_EQ(app.graph.edges[1].source_handle, "true");
    EXPECT_EQ(app.graph.edges[3].source_handle, "source") << "null in the file";
    EXPECT_EQ(app.graph.edges[4].source_handle, "source") << "absent in the file";
    EXPECT_EQ(app.graph.edges[3].position, (SourcePosition{18, 7}));
}

TEST(Loader, ReadsVariablesWithTheirTypes) {
    const auto app = load_sample("chatflow_0_1_5.yml");
    ASSERT_EQ(app.conversation_variables.size(), 4U);
    EXPECT_EQ(app.conversation_variables[0].name, "facts");
    EXPECT_EQ(app.conversation_variables[0].id, "0b1c");
    EXPECT_EQ(app.conversation_variables[0].value.type(), value::ValueType::array_string);
    EXPECT_EQ(app.conversation_variables[1].value.type(), value::ValueType::integer);
    EXPECT_EQ(app.conversation_variables[2].value.type(), value::ValueType::floating);
    EXPECT_EQ(app.conversation_variables[3].value.type(), value::ValueType::object);
    ASSERT_EQ(app.environment_variables.size(), 1U);
    EXPECT_EQ(app.environment_variables[0].value.type(), value::ValueType::secret);
    EXPECT_EQ(app.features.at("opening_statement"), json::value("Hello"));
}

TEST(Loader, ParsesDefaultValuesByTheirType) {
    const auto app = load_sample("chatflow_0_1_5.yml");
    const auto& defaults = node(app, "llm").data.at("default_value").get_array();
    EXPECT_EQ(value::python_json(defaults[0].at("value")), "\"5\"");
    EXPECT_EQ(value::python_json(defaults[1].at("value")), "5.0");
    EXPECT_EQ(value::python_json(defaults[2].at("value")), R"({"tokens": 1})");
    EXPECT_EQ(value::python_json(defaults[3].at("value")), "[1, true]");
}

TEST(Loader, BringsLlmAndToolNodesUpToDate) {
    const auto app = load_sample("workflow_0_3_0.yml");
    EXPECT_EQ(node(app, "llm").data.at("structured_output_switch_on"), json::value(true));
    const auto& tool = node(app, "tool").data;
    EXPECT_EQ(tool.at("tool_node_version"), json::value("2"));
    EXPECT_EQ(
        value::python_json(tool.at("tool_configurations")),
        R"({"limit": {"type": "constant", "value": 5}, "nested": {"type": "constant", "value": "x"}})"
    );
    EXPECT_EQ(
        value::python_json(tool.at("tool_parameters")),
        R"({"query": {"type": "mixed", "value": "{{#start.q#}}"}})"
    );
}

TEST(Loader, TakesTheFirstOfSeveralEntryNodesAsTheRoot) {
    EXPECT_EQ(load_sample("workflow_0_5_0_triggers.yml").graph.root_id, "hook");
}

TEST(Loader, KeepsLoopsAsTheyAreAndAdoptsChildrenNamedOnlyByTheEnvelope) {
    const auto app = load_sample("workflow_0_6_0_loop.yml");
    EXPECT_EQ(app.graph.nodes.size(), 6U);
    EXPECT_EQ(node(app, "loop").data.at("start_node_id"), json::value("loopstart"));
    EXPECT_EQ(node(app, "stop").parent_id, "loop");
    EXPECT_EQ(node(app, "stop").data.at("loop_id"), json::value("loop"));
    EXPECT_EQ(
        value::python_json(node(app, "form").data.at("delivery_methods").at(0).at("config")),
        R"({"recipients": {"items": [{"type": "member", "reference_id": "u1"}], )"
        R"("include_bound_group": true}})"
    );
    EXPECT_EQ(app.environment_variables[0].value.type(), value::ValueType::integer);
    EXPECT_EQ(app.environment_variables[1].value.type(), value::ValueType::floating);
}

TEST(Loader, LoadsEveryModeOfApp) {
    struct Case {
        std::string_view file;
        AppMode mode;
        bool has_graph;
        bool has_model_config;
    };

    const Case cases[] = {
        {"oldest_workflow.yml", AppMode::workflow, true, false},
        {"chatflow_0_7_0.yml", AppMode::advanced_chat, true, false},
        {"chat.yml", AppMode::chat, false, true},
        {"agent_chat.yml", AppMode::agent_chat, false, true},
        {"completion.yml", AppMode::completion, false, true},
        {"agent.yml", AppMode::agent, false, false},
    };
    for (const auto& test : cases) {
        const auto app = load_sample(test.file);
        EXPECT_EQ(app.mode, test.mode) << test.file;
        EXPECT_EQ(app.graph.nodes.empty(), !test.has_graph) << test.file;
        EXPECT_EQ(app.model_config.is_object(), test.has_model_config) << test.file;
        EXPECT_EQ(app.file, sample_path(test.file));
    }
    EXPECT_EQ(node(load_sample("chatflow_0_7_0.yml"), "answer").version, "2");
}

TEST(Loader, SaysThatAnAgentAppCannotRunHere) {
    const auto result = load_app_file(sample_path("agent.yml"));
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_EQ(result.problems[0].severity, Severity::unsupported);
    EXPECT_EQ(result.problems[0].code, "app.unsupported_mode");
}

TEST(Loader, NamesOtherKindsOfDocuments) {
    struct Case {
        std::string_view file;
        std::string_view name;
    };

    for (const auto& [file, name] :
         {Case{"rag_pipeline.yml", "a knowledge pipeline"}, Case{"snippet.yml", "a snippet"}}) {
        const auto result = load_app_file(sample_path(file));
        EXPECT_FALSE(result.app);
        EXPECT_TRUE(result.is_not_an_app);
        ASSERT_EQ(result.problems.size(), 1U);
        EXPECT_EQ(result.problems[0].code, "kind.unsupported");
        EXPECT_NE(result.problems[0].message.find(name), std::string::npos);
    }
}

TEST(Loader, ReportsAllProblemsOfAFileAtOnceWithTheirPlaces) {
    const auto result = load_app_file(sample_path("broken.yml"));
    EXPECT_FALSE(result.app);
    EXPECT_FALSE(result.is_not_an_app);
    EXPECT_EQ(result.mode, "workflow");
    EXPECT_EQ(result.version, "0.3.0");
    EXPECT_EQ(
        places(result),
        (std::vector<std::string>{
            "6:5 variable.missing_name",         "7:5 variable.missing_value",
            "8:5 variable.missing_value_type",   "9:15 variable.unsupported_value_type",
            "10:35 variable.invalid_value",      "13:7 graph.edge_unknown_node",
            "14:7 graph.invalid_edge_endpoint",  "17:23 graph.edge_handle_not_text",
            "18:7 graph.invalid_edge",           "22:7 graph.cycle",
            "23:40 node.invalid_error_strategy", "29:34 node.invalid_default_value",
            "30:20 node.invalid_default_value",  "31:24 node.invalid_retry_config",
            "31:64 node.invalid_retry_config",   "32:7 graph.duplicate_node_id",
            "34:7 graph.invalid_node_id",        "36:7 graph.unknown_container",
            "38:7 graph.invalid_container",      "41:7 graph.invalid_node_type",
            "42:7 graph.invalid_node_data",      "43:7 graph.invalid_node",
            "45:26 node.invalid_data",
        })
    );
}

// A workflow of the given nodes and edges, in flow style.
std::string workflow(std::string_view nodes, std::string_view edges = "[]") {
    return "app: {name: x, mode: workflow}\nworkflow:\n  graph:\n    nodes: " + std::string(nodes) +
           "\n    edges: " + std::string(edges) + "\n";
}

struct ProblemCase {
    std::string text;
    Severity severity;
    std::string_view code;
    std::string_view message;
};

TEST(Loader, SaysWhatIsWrongAndWhatToDo) {
    const std::string start = "{id: s, data: {type: start, title: Start}}";
    const ProblemCase cases[] = {
        {"", Severity::error, "parse.expected_mapping", "the file is empty"},
        {"[1]",
         Severity::error,
         "parse.expected_mapping",
         "content must be a mapping, but is a list"},
        {"a: [", Severity::error, "parse.invalid_yaml", "Invalid YAML format: "},
        {"version: 0.1.0", Severity::error, "kind.missing_app", "Missing app data in YAML content"},
        {"app: {}", Severity::error, "kind.missing_app", "Missing app data in YAML content"},
        {"app: {name: x}", Severity::error, "app.missing_mode", "loss app mode"},
        {"app: {mode: channel}", Severity::error, "app.invalid_mode", "Invalid app mode `channel`"},
        {"kind: App\napp: {mode: chat}", Severity::error, "kind.unsupported", "`kind: App`"},
        {"app: {mode: workflow}", Severity::error, "app.missing_workflow", "Missing workflow data"},
        {"app: {mode: chat}", Severity::error, "app.missing_model_config", "Missing model_config"},
        {"app: {mode: chat}\nmodel_config: {}",
         Severity::error,
         "app.invalid_model_config",
         "`model_config.model` must be a mapping"},
        {"app: {mode: chat}\nmodel_config: {model: {provider: p}}",
         Severity::error,
         "app.invalid_model_config",
         "`model_config.model.name` is missing"},
        {"version: 0.6\napp: {mode: chat}",
         Severity::error,
         "version.invalid_type",
         "Invalid version type, expected str, got a number; put it in quotes"},
        {"version: one\napp: {mode: chat}",
         Severity::error,
         "version.invalid",
         "`one` is no version"},
        {"version: 0.8.0\n" + workflow("[" + start + "]"),
         Severity::warning,
         "version.newer",
         "version 0.8.0 is newer than 0.7.0"},
        {"app: {mode: workflow}\nworkflow: {}", Severity::error, "graph.missing", "`workflow.graph`"
        },
        {"app: {mode: workflow}\nworkflow: {graph: {}}",
         Severity::error,
         "graph.invalid_nodes",
         "`workflow.graph.nodes` is missing"},
        {workflow("[]"), Severity::error, "graph.empty", "the app has no nodes"},
        {workflow("[{id: e, data: {type: end}}]"),
         Severity::error,
         "graph.no_root",
         "no node can begin a run; add a node of type `start`"},
        {workflow("[" + start + "]", "5"), Severity::error, "graph.invalid_edges", "must be a list"
        },
        {workflow("[" + start + "]", "[{source: s, target: t}]"),
         Severity::error,
         "graph.edge_unknown_node",
         "an edge leads from \"Start\" (s) to `t` (not in the graph); remove the edge or add the "
         "node"},
        {workflow("[" + start + "]", "[{source: s, target: s}]"),
         Severity::error,
         "graph.cycle",
         "the edges form a cycle: \"Start\" (s) \u2192 \"Start\" (s);"},
        {workflow(
             "[" + start +
                 ", {id: i, data: {type: iteration, title: Each}}"
                 ", {id: a, data: {type: code, title: A, iteration_id: i}}"
                 ", {id: b, data: {type: code, title: B, iteration_id: i}}]",
             "[{source: a, target: b}, {source: b, target: a}]"
         ),
         Severity::node_error,
         "graph.cycle",
         "the edges form a cycle inside \"Each\" (i): \"A\" (a) \u2192 \"B\" (b) \u2192 \"A\" (a);"
        },
        {workflow(
             "[" + start +
             ", {id: i, data: {type: iteration, iteration_id: j}}"
             ", {id: j, data: {type: iteration, iteration_id: i}}]"
         ),
         Severity::node_error,
         "graph.nested_in_itself",
         "containers lie inside each other: `i` \u2192 `j` \u2192 `i`"},
        {workflow("[" + start + ", {id: i, data: {type: loop, title: L}}]"),
         Severity::node_error,
         "graph.empty_container",
         "loop \"L\" (i) holds no nodes to run"},
        {workflow("[" + start + ", {type: custom-note, id: n}]", "[{source: s, target: n}]"),
         Severity::warning,
         "graph.edge_to_note",
         "it ends at a note"},
        {"app: {mode: workflow}\nworkflow: {features: [], graph: {nodes: [" + start + "]}}",
         Severity::error,
         "app.invalid_features",
         "`workflow.features` must be a mapping, but is a list"},
        {"app: {mode: workflow}\nworkflow: {features: {sensitive_word_avoidance: {enabled: true, "
         "type: keywords, config: {inputs_config: {enabled: true}}}}, graph: {nodes: [" +
             start + "]}}",
         Severity::warning,
         "app.feature_not_applied",
         "`sensitive_word_avoidance` is not applied here"},
        {"a: \x01", Severity::error, "file.invalid_character", "control character 0x01"},
        {"a: \xFF", Severity::error, "file.invalid_utf8", "not valid UTF-8"},
    };
    for (const auto& test : cases) {
        const auto result = load_app(test.text, "x.yml");
        EXPECT_EQ(result.app.has_value(), test.severity != Severity::error) << test.text;
        const auto found = std::ranges::find(result.problems, test.code, &Problem::code);
        ASSERT_NE(found, result.problems.end()) << test.text;
        EXPECT_EQ(found->severity, test.severity) << test.text;
        EXPECT_NE(found->message.find(test.message), std::string::npos) << found->message;
    }
}

TEST(Loader, RefusesVariablesThatDoNotFit) {
    struct Case {
        std::string_view variable;
        std::string_view code;  // empty if it is fine
    };

    const std::string large(204'801, 'x');
    const std::string large_variable = "{name: a, value_type: string, value: " + large + "}";
    const Case cases[] = {
        {"{name: a, value_type: string, value: ''}", ""},
        {"{name: a, value_type: string, value: 5}", "variable.invalid_value"},
        {"{name: a, value_type: secret, value: x}", ""},
        {"{name: a, value_type: number, value: 5}", ""},
        {"{name: a, value_type: number, value: true}", "variable.invalid_value"},
        {"{name: a, value_type: integer, value: '5'}", ""},
        {"{name: a, value_type: integer, value: 5.5}", "variable.invalid_value"},
        {"{name: a, value_type: boolean, value: 'on'}", ""},
        {"{name: a, value_type: boolean, value: maybe}", "variable.invalid_value"},
        {"{name: a, value_type: object, value: {}}", ""},
        {"{name: a, value_type: object, value: []}", "variable.invalid_value"},
        {"{name: a, value_type: 'array[string]', value: [x]}", ""},
        {"{name: a, value_type: 'array[string]', value: [5]}", "variable.invalid_value"},
        {"{name: a, value_type: 'array[string]', value: x}", "variable.invalid_value"},
        {"{name: a, value_type: 'array[number]', value: [1, 2.5]}", ""},
        {"{name: a, value_type: 'array[object]', value: [{}]}", ""},
        {"{name: a, value_type: 'array[boolean]', value: [true, 1]}", "variable.invalid_value"},
        {"{name: a, value_type: 'array[any]', value: []}", "variable.unsupported_value_type"},
        {"{name: a, value_type: string, value: null}", "variable.missing_value"},
        {"{name: '', value_type: string, value: x}", "variable.missing_name"},
        {"{name: a, value: x}", "variable.missing_value_type"},
        {"text", "variable.invalid"},
        {large_variable, "variable.too_large"},
    };
    for (const auto& test : cases) {
        const auto text = "app: {mode: advanced-chat}\nworkflow:\n  conversation_variables: [" +
                          std::string(test.variable) +
                          "]\n  graph: {nodes: [{id: s, data: {type: start}}]}\n";
        const auto result = load_app(text, "x.yml");
        EXPECT_EQ(result.app.has_value(), test.code.empty()) << test.variable.substr(0, 80);
        const auto codes = places(result);
        EXPECT_EQ(codes.size(), test.code.empty() ? 0U : 1U) << test.variable.substr(0, 80);
        if (!test.code.empty() && !codes.empty()) {
            EXPECT_EQ(result.problems[0].code, test.code) << test.variable.substr(0, 80);
        }
    }
}

TEST(Loader, UnwrapsTheAnswerOfTheExportApi) {
    const auto result = load_app(
        R"({"data": "app:\n  mode: chat\n  name: Wrapped\nmodel_config:\n  model: {provider: p, name: n}\n"})",
        "x.json"
    );
    ASSERT_TRUE(result.app);
    EXPECT_EQ(result.app->name, "Wrapped");
}

TEST(Loader, ReadsPlainJsonEvenWithEscapesThatYamlDoesNotKnow) {
    const auto result = load_app(
        R"({"app": {"mode": "chat", "name": "\ud83d\ude00"}, "model_config": )"
        R"({"model": {"provider": "p", "name": "n"}}})",
        "x.json"
    );
    ASSERT_TRUE(result.app);
    EXPECT_EQ(result.app->name, "\U0001F600");
}

TEST(Loader, ToleratesAByteOrderMark) {
    const auto text = "\xEF\xBB\xBF" + workflow("[{id: s, data: {type: start}}]");
    EXPECT_TRUE(load_app(text, "x.yml").app);
}

TEST(Loader, NamesTheByteThatIsNotUtf8) {
    const auto result = load_app("a: 1\nb: \u00e9\xFFz\n", "x.yml");
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_EQ(result.problems[0].position, (SourcePosition{2, 6}));
}

TEST(Loader, RefusesFilesThatAreTooLarge) {
    std::string text = workflow("[{id: s, data: {type: start}}]");
    text += "# " + std::string(kFileSizeMax - text.size() - 2, 'x');
    EXPECT_TRUE(load_app(text, "x.yml").app);
    text += 'x';
    const auto result = load_app(text, "x.yml");
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_EQ(result.problems[0].code, "file.too_large");
}

TEST(Loader, SaysWhyAFileCannotBeRead) {
    const auto missing = load_app_file(sample_path("no_such_file.yml"));
    ASSERT_EQ(missing.problems.size(), 1U);
    EXPECT_EQ(missing.problems[0].code, "file.unreadable");
    EXPECT_NE(missing.problems[0].message.find("there is no such file"), std::string::npos);
    EXPECT_EQ(load_app_file(FLOWSPAN_DSL_TESTDATA).problems.at(0).code, "file.unreadable");
}

TEST(Loader, CutsAFloodOfProblemsButNeverTheVerdict) {
    std::string edges = "[";
    for (int i = 0; i < 1000; ++i) {
        edges += "{source: 1, target: s}, ";
    }
    const auto nodes = "[{id: s, data: {type: start}}, {id: s, data: {type: code}}]";
    const auto result = load_app(
        "app: {mode: workflow}\nworkflow: {graph: {edges: " + edges + "], nodes: " + nodes + "}}",
        "x.yml"
    );
    EXPECT_FALSE(result.app);
    EXPECT_EQ(result.problems.size(), 201U);
    EXPECT_EQ(result.problems.back().message, "801 more problems are not listed");
    EXPECT_EQ(std::ranges::count(result.problems, "graph.duplicate_node_id", &Problem::code), 1);
}

// `levels` iterations inside each other, `1` outermost.
std::string nested(int levels) {
    std::string nodes = "[{id: s, data: {type: start}}";
    for (int i = 1; i <= levels; ++i) {
        nodes += ", {id: '" + std::to_string(i) + "', data: {type: iteration, iteration_id: '" +
                 (i > 1 ? std::to_string(i - 1) : std::string()) + "'}}";
    }
    return workflow(nodes + "]");
}

TEST(Loader, AllowsTenLevelsOfContainersAndNoMore) {
    const auto count = [](int levels) {
        const auto result = load_app(nested(levels), "x.yml");
        EXPECT_TRUE(result.app);
        return std::ranges::count(result.problems, "graph.nested_too_deep", &Problem::code);
    };
    EXPECT_EQ(count(10), 0);
    EXPECT_EQ(count(11), 1);
    EXPECT_EQ(count(13), 3);
}

TEST(Loader, CutsEdgesThatLeadBackToTheirOwnContainer) {
    const auto result = load_app(
        workflow(
            "[{id: s, data: {type: start}}, {id: i, data: {type: loop}}, {id: x, data: {type: "
            "code}}"
            ", {id: a, data: {type: code, loop_id: i}}, {id: b, data: {type: code, loop_id: i}}]",
            "[{source: s, target: i}, {source: a, target: b}, {source: b, target: i}"
            ", {source: a, target: x}, {source: x, target: i}]"
        ),
        "x.yml"
    );
    ASSERT_TRUE(result.app);
    std::vector<std::string> edges;
    for (const auto& edge : result.app->graph.edges) {
        edges.push_back(edge.source + " " + edge.target);
    }
    EXPECT_EQ(edges, (std::vector<std::string>{"s i", "a b", "x i", "istart a"}));
    const auto loop = std::ranges::find(result.app->graph.nodes, "i", &NodeSpec::id);
    EXPECT_NE(loop->fault.find("a cycle leads through loop `i`"), std::string::npos) << loop->fault;
}

TEST(Loader, CountsNodesOfContainersThatAreGoneAsOutside) {
    const auto result = load_app(
        workflow("[{id: s, data: {type: start}}, {id: a, data: {type: code, iteration_id: gone}}"
                 ", {id: b, data: {type: code, loop_id: s}}]"),
        "x.yml"
    );
    ASSERT_TRUE(result.app);
    for (const auto& node : result.app->graph.nodes) {
        EXPECT_EQ(node.parent_id, "") << node.id;
    }
    EXPECT_EQ(
        places(result),
        (std::vector<std::string>{"4:43 graph.unknown_container", "4:92 graph.invalid_container"})
    );
}

TEST(Loader, ReadsWhatHandWrittenFilesCanOnlyMean) {
    const auto result = load_app(
        workflow("[{id: s, data: {type: start}}, {id: c, data: {type: code}}"
                 ", {id: p, data: {type: parameter-extractor, query_variable_selector: [s, q]}}"
                 ", {id: k, data: {type: knowledge-retrieval, dataset_ids: []}}]"),
        "x.yml"
    );
    ASSERT_TRUE(result.app);
    EXPECT_TRUE(node(*result.app, "c").data.at("variables").get_array().empty());
    EXPECT_EQ(value::python_json(node(*result.app, "p").data.at("query")), R"(["s", "q"])");
    EXPECT_EQ(node(*result.app, "k").data.at("retrieval_mode"), json::value("multiple"));
}

TEST(Loader, ReadsNodeTypesInOtherSpellings) {
    const auto result = load_app(
        workflow("[{id: s, data: {type: Start}}, {id: i, data: {type: If_Else}}"
                 ", {id: m, data: {type: My_Node}}]"),
        "x.yml"
    );
    ASSERT_TRUE(result.app);
    EXPECT_EQ(node(*result.app, "s").type, "start");
    EXPECT_EQ(node(*result.app, "i").type, "if-else");
    EXPECT_EQ(node(*result.app, "i").data.at("type"), json::value("if-else"));
    EXPECT_EQ(node(*result.app, "m").type, "My_Node") << "not of this format";
    ASSERT_EQ(result.problems.size(), 2U);
    EXPECT_EQ(result.problems[0].code, "node.type_spelling");
    EXPECT_EQ(result.problems[1].message, "the node type `If_Else` is read as `if-else`");
}

TEST(Loader, KeepsANodeWhoseCommonFieldsAreWrong) {
    const auto result = load_app(
        workflow("[{id: s, data: {type: start, title: 5}}"
                 ", {id: a, data: {type: code, error_strategy: retry}}]"),
        "x.yml"
    );
    ASSERT_TRUE(result.app);
    EXPECT_EQ(result.app->graph.nodes[0].title, "5");
    EXPECT_EQ(result.app->graph.nodes[0].fault, "");
    EXPECT_NE(result.app->graph.nodes[1].fault.find("error_strategy"), std::string::npos);
}

TEST(Loader, GivesAnIdThatDependsOnTheTextAlone) {
    const auto text = workflow("[{id: s, data: {type: start}}]");
    const auto first = load_app(text, "a.yml").app->id;
    EXPECT_EQ(first.size(), 36U);
    EXPECT_EQ(first, load_app(text, "b.yml").app->id);
    EXPECT_NE(first, load_app(text + "#", "a.yml").app->id);
}

}  // namespace
}  // namespace flowspan::dsl
