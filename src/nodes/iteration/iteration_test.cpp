#include "flowspan/async/runtime.hpp"
#include "nodes/registry.hpp"
#include "nodes/testing/fake_node_context.hpp"
#include "nodes/testing/fake_services.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes {
namespace {

class Iteration : public ::testing::Test {
protected:
    static Task<Result<engine::NodeOutcome>> execute(
        const engine::Node* node, testing::FakeNodeContext* context
    ) {
        co_return co_await node->execute(*context);
    }

    Result<engine::NodeOutcome> run(json::object settings, std::int64_t items) {
        dsl::NodeSpec spec;
        spec.type = "iteration";
        settings["start_node_id"] = "s";
        settings["iterator_selector"] = {"start", "list"};
        settings["output_selector"] = {"child", "out"};
        spec.data = settings;
        Problems problems;
        const Registry registry(fakes_.services());
        const auto node = registry.build(spec, problems);
        EXPECT_TRUE(problems.empty());
        json::array list;
        for (std::int64_t i = 0; i < items; ++i) {
            list.emplace_back(i);
        }
        context_.pool.set("start", "list", value::Value(list));
        async::Runtime runtime;
        return runtime.block_on(execute, node.get(), &context_);
    }

    void add_frame(std::int64_t out, int yields) {
        context_.frames.push_back(
            {.group = "child",
             .variables = {{"out", value::Value::integer(out)}},
             .outputs = {},
             .error = std::nullopt,
             .yields = yields}
        );
    }

    testing::FakeServices fakes_;
    testing::FakeNodeContext context_;
};

TEST_F(Iteration, RunsSeveralItemsAtATimeAndKeepsTheirOrder) {
    for (int i = 0; i < 7; ++i) {
        add_frame(i, 20 - 2 * i);
    }
    const auto result = run({{"is_parallel", true}, {"parallel_nums", 3}}, 7);
    ASSERT_TRUE(result);
    EXPECT_EQ(to_json_text(result->outputs.at(0).value.json()), "[0,1,2,3,4,5,6]");
    EXPECT_EQ(context_.frames_active_max, 3U);
}

TEST_F(Iteration, RunsOneItemAtATimeUnlessTold) {
    for (int i = 0; i < 3; ++i) {
        add_frame(i, 3);
    }
    ASSERT_TRUE(run({{"parallel_nums", 3}}, 3));
    EXPECT_EQ(context_.frames_active_max, 1U);
}

TEST_F(Iteration, StartsNoNewItemAfterAFailureButLetsRunningOnesEnd) {
    add_frame(0, 9);
    context_.frames.push_back(
        {.group = "",
         .variables = {},
         .outputs = {},
         .error = Error(ErrorCode::execution_failed, "broken"),
         .yields = 1}
    );
    add_frame(2, 0);
    add_frame(3, 0);
    const auto result = run({{"is_parallel", true}, {"parallel_nums", 2}}, 4);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "broken");
    EXPECT_EQ(context_.frames.size(), 2U);
}

TEST_F(Iteration, GivesEachFrameItsItemAndIndex) {
    add_frame(0, 0);
    add_frame(1, 0);
    ASSERT_TRUE(run({}, 2));
    // The pool outside of the frames stays as it was.
    EXPECT_EQ(context_.pool.find("node", "item"), nullptr);
}

}  // namespace
}  // namespace flowspan::nodes
