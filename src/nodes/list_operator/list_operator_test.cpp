// Every operator on every kind of item.

#include "flowspan/async/runtime.hpp"
#include "nodes/registry.hpp"
#include "nodes/testing/fake_node_context.hpp"
#include "nodes/testing/fake_services.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes {
namespace {

Task<Result<engine::NodeOutcome>> execute(
    const engine::Node* node, testing::FakeNodeContext* context
) {
    co_return co_await node->execute(*context);
}

// Runs a node with these settings; the result as JSON, or the error's text.
std::string run(std::string_view list, std::string_view settings) {
    testing::FakeServices fakes;
    const Registry registry(fakes.services());
    dsl::NodeSpec spec;
    spec.type = "list-operator";
    spec.data = {
        {"variable", {"n", "list"}},
        {"filter_by", {{"enabled", false}}},
        {"order_by", {{"enabled", false}}},
        {"limit", {{"enabled", false}}}
    };
    for (const auto& setting : parse_json(settings).value().as_object()) {
        spec.data.as_object()[setting.key()] = setting.value();
    }
    Problems problems;
    const auto node = registry.build(spec, problems);
    if (node == nullptr) {
        return "refused";
    }
    testing::FakeNodeContext context;
    context.pool.set("n", "list", value::Value(parse_json(list).value()));
    context.pool.set("n", "second", value::Value::integer(2));
    async::Runtime runtime;
    const auto result = runtime.block_on(execute, node.get(), &context);
    if (!result) {
        return result.error().message;
    }
    std::string text;
    for (const auto& output : result->outputs) {
        text += (text.empty() ? "" : " ") + to_json_text(output.value.json());
    }
    return text;
}

// The filtered list as JSON, or the error's text.
std::string filter(std::string_view list, std::string_view condition) {
    testing::FakeServices fakes;
    const Registry registry(fakes.services());
    dsl::NodeSpec spec;
    spec.type = "list-operator";
    spec.data = {
        {"variable", {"n", "list"}},
        {"filter_by",
         {{"enabled", true}, {"conditions", json::array{parse_json(condition).value()}}}},
        {"order_by", {{"enabled", false}}},
        {"limit", {{"enabled", false}}}
    };
    Problems problems;
    const auto node = registry.build(spec, problems);
    if (node == nullptr) {
        return "refused";
    }
    testing::FakeNodeContext context;
    context.pool.set("n", "list", value::Value(parse_json(list).value()));
    async::Runtime runtime;
    const auto result = runtime.block_on(execute, node.get(), &context);
    return result ? to_json_text(result->outputs.at(0).value.json()) : result.error().message;
}

TEST(ListOperator, FiltersTextsByEveryOperator) {
    struct Row {
        std::string_view comparison_operator;
        std::string_view value;
        std::string_view result;
    };

    const Row rows[] = {
        {"contains", "b", R"(["abc"])"},
        {"not contains", "b", R"(["","x"])"},
        {"start with", "a", R"(["abc"])"},
        {"end with", "c", R"(["abc"])"},
        {"is", "x", R"(["x"])"},
        {"is not", "x", R"(["abc",""])"},
        {"in", "xyz", R"(["","x"])"},
        {"not in", "xyz", R"(["abc"])"},
        {"empty", "", R"([""])"},
        {"not empty", "", R"(["abc","x"])"},
        {"all of", "", "Invalid condition: all of"},
    };
    for (const auto& row : rows) {
        const auto condition = to_json_text(
            json::object{{"comparison_operator", row.comparison_operator}, {"value", row.value}}
        );
        EXPECT_EQ(filter(R"(["abc", "", "x"])", condition), row.result) << row.comparison_operator;
    }
}

TEST(ListOperator, FiltersNumbersByEveryOperator) {
    struct Row {
        std::string_view comparison_operator;
        std::string_view result;
    };

    const Row rows[] = {
        {"=", "[2]"},
        {"\u2260", "[1,3]"},
        {"<", "[1]"},
        {">", "[3]"},
        {"\u2264", "[1,2]"},
        {"\u2265", "[2,3]"},
        {"contains", "Invalid condition: contains"},
    };
    for (const auto& row : rows) {
        const auto condition = to_json_text(
            json::object{{"comparison_operator", row.comparison_operator}, {"value", "2"}}
        );
        EXPECT_EQ(filter("[1, 2, 3]", condition), row.result) << row.comparison_operator;
    }
    EXPECT_EQ(
        filter("[1]", R"({"comparison_operator": "=", "value": "two"})"),
        "could not convert the value of a condition to a number"
    );
}

TEST(ListOperator, FiltersBooleans) {
    EXPECT_EQ(filter("[true, false]", R"({"comparison_operator": "is", "value": true})"), "[true]");
    EXPECT_EQ(
        filter("[true, false]", R"({"comparison_operator": "is not", "value": true})"), "[false]"
    );
    EXPECT_EQ(
        filter("[true]", R"({"comparison_operator": "is", "value": "true"})"),
        "the value of a condition on booleans must be true or false"
    );
}

TEST(ListOperator, FiltersFilesByEveryAttribute) {
    const std::string files = R"([
        {"dify_model_identity": "__dify__file__", "type": "image", "filename": "a.png",
         "extension": ".png", "mime_type": "image/png", "size": 10,
         "transfer_method": "remote_url", "remote_url": "http://h/a.png"}])";

    struct Row {
        std::string_view condition;
        bool is_kept;
    };

    const Row rows[] = {
        {R"({"key": "name", "comparison_operator": "is", "value": "a.png"})", true},
        {R"({"key": "extension", "comparison_operator": "is", "value": ".jpg"})", false},
        {R"({"key": "mime_type", "comparison_operator": "start with", "value": "image"})", true},
        {R"({"key": "url", "comparison_operator": "contains", "value": "//h/"})", true},
        {R"({"key": "related_id", "comparison_operator": "empty", "value": ""})", true},
        {R"({"key": "type", "comparison_operator": "in", "value": ["image"]})", true},
        {R"({"key": "type", "comparison_operator": "not in", "value": ["image"]})", false},
        {R"({"key": "transfer_method", "comparison_operator": "in", "value": ["local_file"]})",
         false},
        {R"({"key": "size", "comparison_operator": ">", "value": "9"})", true},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(filter(files, row.condition) != "[]", row.is_kept) << row.condition;
    }
    EXPECT_EQ(
        filter(files, R"({"key": "colour", "comparison_operator": "is", "value": "x"})"),
        "Invalid key: colour"
    );
}

TEST(ListOperator, HasOneOutcomeForEveryOperationOnEveryType) {
    constexpr std::string_view kTexts = R"(["b", "a", "B", "ä"])";
    constexpr std::string_view kNumbers = "[2, 1.5, -3]";
    constexpr std::string_view kBooleans = "[true, false, true]";
    constexpr std::string_view kAscending = R"({"order_by": {"enabled": true, "value": "asc"}})";
    constexpr std::string_view kDescending = R"({"order_by": {"enabled": true, "value": "desc"}})";
    constexpr std::string_view kSecond = R"({"extract_by": {"enabled": true, "serial": "2"}})";
    constexpr std::string_view kTwo = R"({"limit": {"enabled": true, "size": 2}})";

    struct Row {
        std::string_view list;
        std::string_view settings;
        std::string_view outcome;  // result, first record, last record
    };

    const Row rows[] = {
        {kTexts, kAscending, R"(["B","a","b","ä"] "B" "ä")"},
        {kTexts, kDescending, R"(["ä","b","a","B"] "ä" "B")"},
        {kTexts, kSecond, R"(["a"] "a" "a")"},
        {kTexts, kTwo, R"(["b","a"] "b" "a")"},
        {kNumbers, kAscending, "[-3,1.5E0,2] -3 2"},
        {kNumbers, kDescending, "[2,1.5E0,-3] 2 -3"},
        {kNumbers, kSecond, "[1.5E0] 1.5E0 1.5E0"},
        {kNumbers, kTwo, "[2,1.5E0] 2 1.5E0"},
        {kBooleans, kAscending, "[false,true,true] false true"},
        {kBooleans, kDescending, "[true,true,false] true false"},
        {kBooleans, kSecond, "[false] false false"},
        {kBooleans, kTwo, "[true,false] true false"},
        // Nothing to work on is no error, whatever it is.
        {"[]", kAscending, "[] null null"},
        {"null", kSecond, "[] null null"},
        {R"("")", kTwo, "[] null null"},
        {"{}", kTwo, "[] null null"},
        {"0", kTwo, "[] null null"},
        {"false", kTwo, "[] null null"},
        {R"([{"a": 1}])",
         kTwo,
         "Variable ['n', 'list'] is not an array type, actual type: array[object]"},
        {R"(["a", 1])", kTwo, "Variable ['n', 'list'] is not an array type, actual type: array[any]"
        },
        {R"("text")", kTwo, "Variable ['n', 'list'] is not an array type, actual type: string"},
        {"7", kTwo, "Variable ['n', 'list'] is not an array type, actual type: integer"},
        {"1.5", kTwo, "Variable ['n', 'list'] is not an array type, actual type: float"},
        {"true", kTwo, "Variable ['n', 'list'] is not an array type, actual type: boolean"},
        {R"({"a": 1})", kTwo, "Variable ['n', 'list'] is not an array type, actual type: object"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(run(row.list, row.settings), row.outcome) << row.list << ' ' << row.settings;
    }
}

TEST(ListOperator, MindsTheEdgesOfSerialAndSize) {
    struct Row {
        std::string_view settings;
        std::string_view outcome;
    };

    const Row rows[] = {
        {R"({"extract_by": {"enabled": true, "serial": "{{#n.second#}}"}})", "[2] 2 2"},
        {R"({"extract_by": {"enabled": true, "serial": 3}})", "[3] 3 3"},
        {R"({"extract_by": {"enabled": true}})", "[1] 1 1"},
        {R"({"extract_by": {"enabled": true, "serial": "0"}})",
         "Invalid serial index: must be >= 1, got 0"},
        {R"({"extract_by": {"enabled": true, "serial": "-1"}})",
         "Invalid serial index: must be >= 1, got -1"},
        {R"({"extract_by": {"enabled": true, "serial": "4"}})",
         "Invalid serial index: must be <= 3, got 4"},
        {R"({"extract_by": {"enabled": true, "serial": "99999999999999999999"}})",
         "Invalid serial index: must be a number"},
        {R"({"extract_by": {"enabled": true, "serial": "two"}})",
         "Invalid serial index: must be a number"},
        {R"({"limit": {"enabled": true, "size": 0}})", "[] null null"},
        {R"({"limit": {"enabled": true, "size": 99}})", "[1,2,3] 1 3"},
        {R"({"limit": {"enabled": true, "size": -1}})", "[1,2] 1 2"},
        {R"({"limit": {"enabled": true, "size": -9}})", "[] null null"},
        {R"({"limit": {"enabled": true}})", "[1,2] 1 2"},
        // Filter, extract, order, limit: in this order.
        {R"({"filter_by": {"enabled": true, "conditions": [{"comparison_operator": ">", "value": "1"}]},
             "extract_by": {"enabled": true, "serial": "2"}})",
         "[3] 3 3"},
        {R"({"order_by": {"enabled": true, "value": "desc"}, "limit": {"enabled": true, "size": 1}})",
         "[3] 3 3"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(run("[1, 2, 3]", row.settings), row.outcome) << row.settings;
    }
}

TEST(ListOperator, OrdersFilesByEveryKey) {
    const std::string files = R"([
        {"dify_model_identity": "__dify__file__", "type": "image", "filename": "b.png",
         "extension": ".png", "mime_type": "image/png", "size": 10,
         "transfer_method": "remote_url", "remote_url": "http://h/b"},
        {"dify_model_identity": "__dify__file__", "type": "document", "filename": "a.txt",
         "extension": ".txt", "mime_type": "text/plain", "size": 9,
         "transfer_method": "local_file", "remote_url": "http://h/a"}])";

    struct Row {
        std::string_view key;
        bool is_first_first;  // in ascending order
    };

    const Row rows[] = {
        {"name", false},
        {"type", false},
        {"size", false},
        {"mime_type", true},
        {"extension", true},
        {"transfer_method", false},
        {"url", false},
    };
    for (const auto& row : rows) {
        const auto settings =
            to_json_text(json::object{{"order_by", {{"enabled", true}, {"key", row.key}}}});
        const auto ordered = run(files, settings);
        ASSERT_NE(ordered.find("b.png"), std::string::npos) << ordered;
        EXPECT_EQ(ordered.find("b.png") < ordered.find("a.txt"), row.is_first_first) << row.key;
    }
    EXPECT_EQ(
        run(files, R"({"order_by": {"enabled": true, "key": "colour"}})"),
        "Invalid order key: colour"
    );
}

TEST(ListOperator, RefusesOperatorsThatATypeDoesNotHave) {
    for (const auto* name : {"=", ">", "all of", "exists", "null", "≥", "", "Contains"}) {
        const auto condition =
            to_json_text(json::object{{"comparison_operator", name}, {"value", "1"}});
        EXPECT_EQ(filter(R"(["a"])", condition), std::string("Invalid condition: ") + name);
    }
    for (const auto* name : {"is", "in", "start with", "empty", "", "!="}) {
        const auto condition =
            to_json_text(json::object{{"comparison_operator", name}, {"value", "1"}});
        EXPECT_EQ(filter("[1]", condition), std::string("Invalid condition: ") + name);
    }
    for (const auto* name : {"=", "contains", "in", ""}) {
        const auto condition =
            to_json_text(json::object{{"comparison_operator", name}, {"value", true}});
        EXPECT_EQ(filter("[true]", condition), std::string("Invalid condition: ") + name);
    }
}

TEST(ListOperator, ComparesNumbersWithEveryTypeOfValue) {
    struct Row {
        std::string_view value;
        std::string_view outcome;
    };

    const Row rows[] = {
        {R"("2")", "[2,2E0]"},
        {R"(" 2.0 ")", "[2,2E0]"},
        {"2", "[2,2E0]"},
        {"2.0", "[2,2E0]"},
        {R"("{{#n.none#}}")", "could not convert the value of a condition to a number"},
        {R"("")", "could not convert the value of a condition to a number"},
        {"[2]", "could not convert the value of a condition to a number"},
        {"null", "could not convert the value of a condition to a number"},
    };
    for (const auto& row : rows) {
        const auto condition =
            std::string(R"({"comparison_operator": "=", "value": )") + std::string(row.value) + "}";
        EXPECT_EQ(filter("[1, 2, 2.0]", condition), row.outcome) << row.value;
    }
}

}  // namespace
}  // namespace flowspan::nodes
