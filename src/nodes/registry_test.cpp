#include "nodes/registry.hpp"

#include "flowspan/async/runtime.hpp"
#include "nodes/testing/fake_node_context.hpp"
#include "nodes/testing/fake_services.hpp"
#include "nodes/testing/node_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace flowspan::nodes {
namespace {

using testing::NodeCase;

std::string folder_of(const NodeKind& kind) {
    std::string folder(kind.type);
    std::ranges::replace(folder, '-', '_');
    return folder;
}

TEST(Registry, DescribesEveryKind) {
    for (const auto& kind : all_kinds()) {
        EXPECT_FALSE(kind.description.empty()) << kind.type;
        EXPECT_TRUE(kind.description.ends_with('.')) << kind.type;
        EXPECT_NE(kind.build, nullptr) << kind.type;
        EXPECT_FALSE(kind.config.empty()) << kind.type;
        for (const auto& field : kind.config) {
            EXPECT_FALSE(field.type.empty()) << kind.type << ' ' << field.key;
            EXPECT_FALSE(field.description.empty()) << kind.type << ' ' << field.key;
        }
    }
}

TEST(Registry, HasCasesForEveryKindOneOfThemAFailure) {
    const auto cases = testing::load_cases(FLOWSPAN_NODES_FOLDER);
    for (const auto& kind : all_kinds()) {
        const auto is_of_kind = [folder = folder_of(kind)](const NodeCase& one) {
            return one.kind == folder;
        };
        EXPECT_GE(std::ranges::count_if(cases, is_of_kind), 2) << kind.type;
        EXPECT_TRUE(std::ranges::any_of(cases, [&](const NodeCase& one) {
            return is_of_kind(one) && one.expects_failure();
        })) << kind.type;
    }
}

TEST(Registry, NamesEveryTypeOnce) {
    std::set<std::string_view> types;
    const auto add = [&](std::string_view type) { EXPECT_TRUE(types.insert(type).second) << type; };
    for (const auto& kind : all_kinds()) {
        add(kind.type);
        std::ranges::for_each(kind.aliases, add);
        for (const auto& companion : kind.companions) {
            add(companion.type);
        }
    }
}

Task<Result<engine::NodeOutcome>> execute(
    const engine::Node* node, testing::FakeNodeContext* context
) {
    co_return co_await node->execute(*context);
}

TEST(Registry, BuildsANodeThatFailsWhenReachedForAnUnknownType) {
    testing::FakeServices fakes;
    const Registry registry(fakes.services());
    EXPECT_EQ(registry.find_traits("teleport"), nullptr);
    dsl::NodeSpec spec;
    spec.id = "7";
    spec.type = "teleport";
    Problems problems;
    const auto node = registry.build(spec, problems);
    ASSERT_NE(node, nullptr);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].severity, dsl::Problem::Severity::unsupported);
    EXPECT_EQ(problems[0].code, "node.unsupported_type");
    EXPECT_NE(problems[0].message.find("teleport"), std::string::npos);
    async::Runtime runtime;
    testing::FakeNodeContext context;
    const auto result = runtime.block_on(execute, node.get(), &context);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().type, "UnsupportedNodeError");
}

TEST(Registry, KnowsHowAnUnsupportedKindConnects) {
    testing::FakeServices fakes;
    const Registry registry(fakes.services());
    ASSERT_NE(registry.find_traits("human-input"), nullptr);
    EXPECT_EQ(registry.find_traits("human-input")->shape, engine::NodeShape::branch);
}

class Cases : public ::testing::TestWithParam<NodeCase> {};

TEST_P(Cases, GivesWhatTheFileExpects) {
    for (const auto& finding : testing::run_case(GetParam())) {
        ADD_FAILURE() << GetParam().kind << "/cases/" << GetParam().name << ".yaml: " << finding;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Nodes,
    Cases,
    ::testing::ValuesIn(testing::load_cases(FLOWSPAN_NODES_FOLDER)),
    [](const auto& one) { return one.param.kind + "_" + one.param.name; }
);

}  // namespace
}  // namespace flowspan::nodes
