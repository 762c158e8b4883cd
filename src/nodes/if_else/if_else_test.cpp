// Every operator on every type of variable, through the node itself.

#include "flowspan/async/runtime.hpp"
#include "nodes/registry.hpp"
#include "nodes/testing/fake_node_context.hpp"
#include "nodes/testing/fake_services.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace flowspan::nodes {
namespace {

Task<Result<engine::NodeOutcome>> execute(
    const engine::Node* node, testing::FakeNodeContext* context
) {
    co_return co_await node->execute(*context);
}

// `true`, `false` or `error` for one condition on the variable `n.x`.
std::string decide(
    std::string_view actual, std::string_view comparison_operator, const json::value& expected
) {
    testing::FakeServices fakes;
    const Registry registry(fakes.services());
    dsl::NodeSpec spec;
    spec.type = "if-else";
    const json::object condition = {
        {"variable_selector", {"n", "x"}},
        {"comparison_operator", comparison_operator},
        {"value", expected}
    };
    spec.data = {{"logical_operator", "and"}, {"conditions", json::array{condition}}};
    Problems problems;
    const auto node = registry.build(spec, problems);
    if (node == nullptr) {
        return "refused";
    }
    testing::FakeNodeContext context;
    context.pool.set("n", "x", value::Value(parse_json(actual).value()));
    async::Runtime runtime;
    const auto result = runtime.block_on(execute, node.get(), &context);
    return result ? result->edge_handle : "error";
}

struct Row {
    std::string_view actual;
    std::string_view comparison_operator;
    std::string_view expected;  // JSON
    std::string_view decision;
};

class Conditions : public ::testing::TestWithParam<Row> {};

TEST_P(Conditions, DecideAsTheFormatSays) {
    const auto& row = GetParam();
    const auto expected = parse_json(row.expected).value();
    EXPECT_EQ(decide(row.actual, row.comparison_operator, expected), row.decision)
        << row.actual << ' ' << row.comparison_operator << ' ' << row.expected;
}

INSTANTIATE_TEST_SUITE_P(
    Text,
    Conditions,
    ::testing::Values(
        Row{R"("abc")", "contains", R"("b")", "true"},
        Row{R"("")", "contains", R"("")", "false"},
        Row{R"("abc")", "not contains", R"("b")", "false"},
        Row{R"("")", "not contains", R"("b")", "true"},
        Row{R"("abc")", "start with", R"("a")", "true"},
        Row{R"("")", "start with", R"("a")", "false"},
        Row{R"("abc")", "end with", R"("c")", "true"},
        Row{R"("abc")", "is", R"("abc")", "true"},
        Row{R"("abc")", "is not", R"("abc")", "false"},
        Row{R"("")", "empty", "null", "true"},
        Row{R"("a")", "not empty", "null", "true"},
        Row{R"("a")", "in", R"(["a", "b"])", "true"},
        Row{R"("c")", "not in", R"(["a", "b"])", "true"},
        Row{R"("a")", "in", R"("a")", "error"},
        Row{R"("abc")", "all of", R"(["a", "c"])", "true"},
        Row{R"("a")", "exists", "null", "true"},
        Row{R"("a")", "not exists", "null", "false"},
        Row{R"("a")", "null", "null", "false"},
        Row{R"("a")", "not null", "null", "true"},
        Row{R"("a")", ">", R"("1")", "error"},
        Row{R"("a")", "=", R"("a")", "error"}
    )
);

INSTANTIATE_TEST_SUITE_P(
    Numbers,
    Conditions,
    ::testing::Values(
        Row{"3", "=", R"("3")", "true"},
        Row{"3", "=", R"("3.0")", "error"},
        Row{"3", "\u2260", R"("4")", "true"},
        Row{"2.5", "=", R"("2.5")", "true"},
        Row{"3", ">", R"("2.5")", "true"},
        Row{"3", "<", R"("2.5")", "false"},
        Row{"9223372036854775807", "\u2265", R"("9223372036854775806")", "true"},
        Row{"3", "\u2264", R"("x")", "error"},
        Row{"3", "is", R"("3")", "error"},
        Row{"3", "contains", R"("3")", "error"},
        Row{"0", "empty", "null", "true"},
        Row{"0", "contains", R"("0")", "false"},
        Row{"3", "exists", "null", "true"}
    )
);

INSTANTIATE_TEST_SUITE_P(
    BooleansAndNull,
    Conditions,
    ::testing::Values(
        Row{"true", "is", R"("true")", "true"},
        Row{"true", "is", "true", "true"},
        Row{"true", "is not", R"("false")", "true"},
        Row{"true", "is", R"("yes")", "error"},
        Row{"false", "=", R"("0")", "true"},
        Row{"false", "empty", "null", "true"},
        Row{"null", "is", R"("a")", "false"},
        Row{"null", "is not", R"("a")", "false"},
        Row{"null", "=", R"("1")", "false"},
        Row{"null", "\u2260", R"("1")", "false"},
        Row{"null", "empty", "null", "true"},
        Row{"null", "null", "null", "true"},
        Row{"null", "exists", "null", "false"},
        Row{"null", "not exists", "null", "true"},
        Row{"null", "in", R"(["a"])", "false"},
        Row{"null", "not in", R"(["a"])", "true"}
    )
);

INSTANTIATE_TEST_SUITE_P(
    ListsAndObjects,
    Conditions,
    ::testing::Values(
        Row{R"(["a", "b"])", "contains", R"("a")", "true"},
        Row{R"(["a", "b"])", "not contains", R"("c")", "true"},
        Row{"[]", "empty", "null", "true"},
        Row{"[1]", "not empty", "null", "true"},
        Row{R"(["a", "b"])", "all of", R"(["a"])", "true"},
        Row{R"(["a"])", "all of", R"(["a", "b"])", "false"},
        Row{"[true, false]", "contains", R"("true")", "true"},
        Row{R"({"a": 1})", "not empty", "null", "true"},
        Row{R"({"a": 1})", "is", R"("x")", "error"},
        Row{R"(["a"])", "start with", R"("a")", "error"}
    )
);

TEST(IfElse, ComparesAttributesOfFiles) {
    testing::FakeServices fakes;
    const Registry registry(fakes.services());
    dsl::NodeSpec spec;
    spec.type = "if-else";
    spec.data =
        parse_json(R"({"cases": [{"case_id": "pdf", "logical_operator": "and", "conditions": [
        {"variable_selector": ["sys", "files"], "comparison_operator": "contains", "value": "",
         "sub_variable_condition": {"logical_operator": "and", "conditions": [
            {"key": "extension", "comparison_operator": "is", "value": "pdf"}]}}]}]})")
            .value();
    Problems problems;
    const auto node = registry.build(spec, problems);
    ASSERT_NE(node, nullptr);
    async::Runtime runtime;
    for (const auto& [extension, handle] : {std::pair{".pdf", "pdf"}, {".txt", "false"}}) {
        testing::FakeNodeContext context;
        const json::object file = {
            {value::kFileIdentityKey, value::kFileIdentity}, {"extension", extension}
        };
        context.pool.set("sys", "files", value::Value(json::array{file}));
        const auto result = runtime.block_on(execute, node.get(), &context);
        ASSERT_TRUE(result);
        EXPECT_EQ(result->edge_handle, handle);
    }
}

}  // namespace
}  // namespace flowspan::nodes
