#include "flowspan/async/runtime.hpp"
#include "knowledge/knowledge_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace flowspan::knowledge {
namespace {

Task<Result<Dataset>> create(KnowledgeStore* store, std::string name) {
    co_return co_await store->create_dataset(name, "about " + name);
}

Task<Result<AddedDocument>> add(KnowledgeStore* store, NewDocument document) {
    co_return co_await store->add_document(std::move(document));
}

Task<Result<ResolvedDatasets>> resolve(KnowledgeStore* store, std::vector<std::string> ids) {
    co_return co_await store->resolve(std::move(ids));
}

Task<Result<RetrievalReply>> retrieve(KnowledgeStore* store, RetrievalRequest request) {
    co_return co_await store->retrieve(std::move(request));
}

Task<Result<std::vector<std::string>>> fields(KnowledgeStore* store, std::vector<std::string> ids) {
    co_return co_await store->metadata_fields(std::move(ids));
}

class SqliteStore : public ::testing::Test {
protected:
    SqliteStore() {
        docs = runtime.block_on(create, store.get(), "docs")->id;
        add_document("refunds.md", "Refunds are paid within 14 days.\n\nShipping is free.", "en");
        add_document("报销.md", "员工报销流程：先填写申请单，再提交发票。", "zh");
        add_document("opening.md", "We are open from nine to five.", "en");
    }

    void add_document(std::string name, std::string text, std::string language) {
        const auto added = runtime.block_on(
            add,
            store.get(),
            NewDocument{
                .dataset = "docs",
                .name = std::move(name),
                .text = std::move(text),
                .metadata = {{"language", language}},
                .split = {40, 0}
            }
        );
        ASSERT_TRUE(added) << added.error().full_text();
        EXPECT_GE(added->segment_count, 1);
    }

    std::vector<FoundSegment> search(RetrievalRequest request) {
        request.dataset_ids = {docs};
        auto reply = runtime.block_on(retrieve, store.get(), std::move(request));
        EXPECT_TRUE(reply) << reply.error().full_text();
        return reply ? std::move(reply->segments) : std::vector<FoundSegment>();
    }

    std::unique_ptr<Random> random = make_seeded_random(1);
    std::unique_ptr<KnowledgeStore> store = make_sqlite_store(
        {":memory:", {{"opaque==", "docs"}, {"gone", "nothing"}}}, real_clock(), *random
    );
    async::Runtime runtime;
    std::string docs;
};

TEST_F(SqliteStore, FindsEnglishByAnyFormOfAWord) {
    const auto found = search({.query = "How long does a refund take?"});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].content, "Refunds are paid within 14 days.");
    EXPECT_EQ(found[0].document_name, "refunds.md");
    EXPECT_EQ(found[0].dataset_name, "docs");
    EXPECT_EQ(found[0].position, 1);
    EXPECT_GT(found[0].score, 0);
    EXPECT_LE(found[0].score, 1);
}

TEST_F(SqliteStore, FindsChineseByPartsOfASentence) {
    for (const auto* query : {"报销", "怎么报销？", "发票", "申请单 invoice"}) {
        const auto found = search({.query = query});
        ASSERT_EQ(found.size(), 1U) << query;
        EXPECT_EQ(found[0].document_name, "报销.md");
    }
    EXPECT_TRUE(search({.query = "天气"}).empty());
    EXPECT_EQ(search({.query = "报销流程"})[0].score, 1);
}

TEST_F(SqliteStore, SortsByScoreAndKeepsWithinItsLimits) {
    const auto found = search({.query = "free shipping or refunds"});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].content, "Shipping is free.");
    EXPECT_GT(found[0].score, found[1].score);
    EXPECT_EQ(search({.query = "free shipping or refunds", .top_k = 1}).size(), 1U);
    EXPECT_EQ(search({.query = "free shipping or refunds", .score_threshold = 0.5}).size(), 1U);
    EXPECT_TRUE(search({.query = "?! *"}).empty());
    EXPECT_TRUE(search({.query = "\"refund NEAR("}).size() == 1);
}

TEST_F(SqliteStore, LooksOnlyIntoDocumentsThatTheFilterLets) {
    MetadataFilter english{{{"language", MetadataOperator::is, "en"}}};
    EXPECT_TRUE(search({.query = "报销", .filter = english}).empty());
    EXPECT_EQ(search({.query = "open", .filter = english}).size(), 1U);
    MetadataFilter name{{{"document_name", MetadataOperator::start_with, "open"}}};
    EXPECT_EQ(search({.query = "open refunds", .filter = name}).size(), 1U);
    EXPECT_EQ(
        runtime.block_on(fields, store.get(), std::vector{docs}).value(),
        std::vector<std::string>{"language"}
    );
}

TEST_F(SqliteStore, ResolvesIdsByMappingIdAndName) {
    const auto resolved = runtime.block_on(
        resolve, store.get(), std::vector<std::string>{"opaque==", docs, "docs", "gone", "other"}
    );
    ASSERT_TRUE(resolved);
    ASSERT_EQ(resolved->datasets.size(), 1U);
    EXPECT_EQ(resolved->datasets[0].document_count, 3);
    EXPECT_EQ(resolved->unmapped, (std::vector<std::string>{"gone", "other"}));
}

TEST_F(SqliteStore, RefusesNamesThatAreTakenOrUnknown) {
    EXPECT_FALSE(runtime.block_on(create, store.get(), "docs"));
    EXPECT_FALSE(runtime.block_on(create, store.get(), ""));
    const auto added = runtime.block_on(add, store.get(), NewDocument{"nowhere", "n", "t"});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, ErrorCode::not_found);
}

TEST(SqliteStoreFile, IsNotMadeByReading) {
    const auto path = std::filesystem::path(::testing::TempDir()) / "flowspan_no_such_store.db";
    const auto store =
        make_sqlite_store({path.string(), {{"*", "docs"}}}, real_clock(), real_random());
    async::Runtime runtime;
    const auto resolved =
        runtime.block_on(resolve, store.get(), std::vector<std::string>{"anything"});
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->unmapped, std::vector<std::string>{"anything"});
    EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace flowspan::knowledge
