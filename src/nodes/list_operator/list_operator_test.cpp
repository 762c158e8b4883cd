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

}  // namespace
}  // namespace flowspan::nodes
