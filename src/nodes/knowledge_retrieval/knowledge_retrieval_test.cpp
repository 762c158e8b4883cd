#include "flowspan/async/runtime.hpp"
#include "knowledge/knowledge_store.hpp"
#include "nodes/registry.hpp"
#include "nodes/testing/fake_node_context.hpp"
#include "nodes/testing/fake_services.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace flowspan::nodes::knowledge_retrieval {
namespace {

Task<void> fill(knowledge::KnowledgeStore* store) {
    for (const auto& [name, text] :
         {std::pair{"cats", "Cats sleep all day."}, {"dogs", "Dogs sleep at night."}}) {
        EXPECT_TRUE(co_await store->create_dataset(name, ""));
        knowledge::NewDocument document{name, std::string(name) + ".md", text};
        document.metadata["animal"] = name;
        EXPECT_TRUE(co_await store->add_document(std::move(document)));
    }
}

Task<Result<engine::NodeOutcome>> execute(
    const engine::Node* node, testing::FakeNodeContext* context
) {
    co_return co_await node->execute(*context);
}

class KnowledgeRetrieval : public ::testing::Test {
protected:
    KnowledgeRetrieval() {
        runtime.block_on(fill, store.get());
        context.pool.set("start", "q", value::Value::string("Who can sleep?"));
        data = {
            {"query_variable_selector", {"start", "q"}},
            {"dataset_ids", {"opaque", "dogs"}},
            {"retrieval_mode", "multiple"},
            {"multiple_retrieval_config", {{"top_k", 4}}}
        };
    }

    /// Titles of what was found, in order.
    std::vector<std::string> titles() {
        auto services = fakes.services();
        services.knowledge = store.get();
        const Registry registry(services);
        dsl::NodeSpec spec;
        spec.id = "node";
        spec.type = "knowledge-retrieval";
        spec.data = data;
        Problems problems;
        const auto node = registry.build(spec, problems);
        EXPECT_TRUE(problems.empty());
        const auto outcome = runtime.block_on(execute, node.get(), &context);
        std::vector<std::string> titles;
        if (!outcome) {
            ADD_FAILURE() << outcome.error().full_text();
            return titles;
        }
        for (const auto& one : outcome->outputs.at(0).value.json().as_array()) {
            titles.emplace_back(string_member(one, "title"));
        }
        return titles;
    }

    testing::FakeServices fakes;
    testing::FakeNodeContext context;
    std::unique_ptr<Random> random = make_seeded_random(1);
    std::unique_ptr<knowledge::KnowledgeStore> store =
        knowledge::make_sqlite_store({":memory:", {{"opaque", "cats"}}}, real_clock(), *random);
    async::Runtime runtime;
    json::object data;
};

TEST_F(KnowledgeRetrieval, SearchesAllDatasetsAndTellsHowMuchItFound) {
    EXPECT_EQ(titles().size(), 2U);
    const auto& facts = std::get<engine::RetrievalFacts>(context.node_record.facts);
    EXPECT_EQ(facts.document_count, 2);
    EXPECT_EQ(facts.top_k, 4);
}

TEST_F(KnowledgeRetrieval, KeepsToDocumentsThatAManualFilterLets) {
    data["metadata_filtering_mode"] = "manual";
    data["metadata_filtering_conditions"] = {
        {"logical_operator", "and"},
        {"conditions",
         json::array{
             json::object{{"name", "animal"}, {"comparison_operator", "is"}, {"value", "dogs"}}
         }}
    };
    EXPECT_EQ(titles(), std::vector<std::string>{"dogs.md"});
}

TEST_F(KnowledgeRetrieval, SearchesTheDatasetThatTheModelCalls) {
    data["retrieval_mode"] = "single";
    data["single_retrieval_config"] = {
        {"model",
         {{"provider", "openai"},
          {"name", "m"},
          {"mode", "chat"},
          {"completion_params", json::object()}}}
    };
    testing::FakeChatModel::Script script;
    script.reply.tool_calls.push_back({"1", "dataset_2", "{}"});
    fakes.chat_model.script.push_back(std::move(script));
    EXPECT_EQ(titles(), std::vector<std::string>{"dogs.md"});
    // Without an answer the first one is searched, and the user is told.
    EXPECT_EQ(titles(), std::vector<std::string>{"cats.md"});
    EXPECT_EQ(std::ranges::count(context.events, "warn retrieval.no_choice"), 1);
}

}  // namespace
}  // namespace flowspan::nodes::knowledge_retrieval
