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

TEST(TemplateTransform, CountsCharactersOfItsOutput) {
    testing::FakeServices fakes;
    auto services = fakes.services();
    services.limits.template_output_length_max = 3;
    const Registry registry(services);
    dsl::NodeSpec spec;
    spec.type = "template-transform";
    spec.data = {{"variables", json::array()}, {"template", "x"}};
    Problems problems;
    const auto node = registry.build(spec, problems);
    ASSERT_NE(node, nullptr);
    async::Runtime runtime;
    testing::FakeNodeContext context;
    fakes.sandbox.script.emplace_back("\u00e9\u00e9\u00e9");
    EXPECT_TRUE(runtime.block_on(execute, node.get(), &context));
    fakes.sandbox.script.emplace_back("abcd");
    const auto result = runtime.block_on(execute, node.get(), &context);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "Output length exceeds 3 characters");
}

}  // namespace
}  // namespace flowspan::nodes
