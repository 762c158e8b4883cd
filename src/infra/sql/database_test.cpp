#include "infra/sql/database.hpp"

#include "flowspan/async/runtime.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace flowspan::sql {
namespace {

Task<Result<Reply>> run(Database* database, Statement statement) {
    co_return co_await database->run(std::move(statement));
}

Task<Result<std::vector<Reply>>> run_batch(Database* database, std::vector<Statement> statements) {
    co_return co_await database->run_batch(std::move(statements));
}

class SqliteDatabase : public ::testing::Test {
protected:
    Result<Reply> call(Statement statement) {
        return runtime.block_on(run, database.get(), std::move(statement));
    }

    static Statement insert(Field id, Field name) {
        return {
            "INSERT INTO pets VALUES (?, ?)", "INSERT", "pets", {std::move(id), std::move(name)}
        };
    }

    std::int64_t count() {
        return to_integer(call({"SELECT count(*) FROM pets", "SELECT", "pets"})->rows.at(0).at(0));
    }

    std::unique_ptr<Database> database = make_sqlite_database(
        {.path = ":memory:",
         .schema = "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT)",
         .rows_max = 3}
    );
    async::Runtime runtime;
};

TEST_F(SqliteDatabase, KeepsWhatParametersHold) {
    ASSERT_TRUE(call(insert(std::int64_t{7}, std::string("'; DROP TABLE pets; --"))));
    ASSERT_TRUE(call(insert(std::monostate(), std::monostate())));
    const auto reply = call({"SELECT id, name, 0.5 FROM pets ORDER BY id", "SELECT", "pets"});
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->rows.size(), 2U);
    EXPECT_EQ(to_integer(reply->rows[0][0]), 7);
    EXPECT_EQ(to_text(reply->rows[0][1]), "'; DROP TABLE pets; --");
    EXPECT_EQ(to_number(reply->rows[0][2]), 0.5);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(reply->rows[1][1]));
}

TEST_F(SqliteDatabase, NamesTheKindOfAFailure) {
    ASSERT_TRUE(call(insert(std::int64_t{1}, std::string("Rex"))));
    const auto again = call(insert(std::int64_t{1}, std::string("Rex")));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(again.error().type, "1555");
    EXPECT_FALSE(call({"SELEKT", "SELECT", "pets"}));
    EXPECT_EQ(count(), 1);
}

TEST_F(SqliteDatabase, UndoesAWholeBatch) {
    const std::vector<Statement> batch = {
        insert(std::int64_t{1}, std::string("a")), insert(std::int64_t{1}, std::string("b"))
    };
    EXPECT_FALSE(runtime.block_on(run_batch, database.get(), batch));
    EXPECT_EQ(count(), 0);
    EXPECT_TRUE(runtime.block_on(
        run_batch,
        database.get(),
        std::vector<Statement>{batch[0], insert(std::int64_t{2}, std::string("b"))}
    ));
    EXPECT_EQ(count(), 2);
}

TEST_F(SqliteDatabase, RefusesRepliesBeyondItsLimit) {
    for (std::int64_t id = 1; id <= 4; ++id) {
        ASSERT_TRUE(call(insert(id, std::string("x"))));
    }
    const auto reply = call({"SELECT id FROM pets", "SELECT", "pets"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::limit_exceeded);
}

TEST_F(SqliteDatabase, MakesASpanOfEachStatementAndOfEachBatch) {
    trace::SpanRecording recording;
    EXPECT_FALSE(call({"SELECT nothing FROM pets WHERE id = ?", "SELECT", "pets", {std::int64_t{5}}}
    ));
    ASSERT_TRUE(runtime.block_on(
        run_batch,
        database.get(),
        std::vector<Statement>{
            insert(std::int64_t{1}, std::string("a")), insert(std::int64_t{2}, std::string("b"))
        }
    ));
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_EQ(spans[0]->GetName(), "SELECT pets");
    EXPECT_EQ(spans[0]->GetStatus(), opentelemetry::trace::StatusCode::kError);
    const auto text = [](const auto& span, const std::string& key) {
        return opentelemetry::nostd::get<std::string>(span->GetAttributes().at(key));
    };
    EXPECT_EQ(text(spans[0], "db.query.text"), "SELECT nothing FROM pets WHERE id = ?");
    EXPECT_EQ(text(spans[0], "db.response.status_code"), "1");
    EXPECT_EQ(spans[1]->GetName(), "BATCH INSERT pets");
    EXPECT_EQ(spans[1]->GetSpanKind(), opentelemetry::trace::SpanKind::kClient);
    EXPECT_EQ(
        opentelemetry::nostd::get<std::int64_t>(
            spans[1]->GetAttributes().at("db.operation.batch.size")
        ),
        2
    );
}

TEST_F(SqliteDatabase, MeasuresEveryCall) {
    trace::MetricRegistry metrics;
    database = make_sqlite_database(
        {.path = ":memory:",
         .schema = "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT)",
         .metrics = &metrics}
    );
    const auto pet = insert(std::int64_t{1}, std::string("Rex"));
    ASSERT_TRUE(call(pet));
    ASSERT_FALSE(call(pet));
    ASSERT_TRUE(runtime.block_on(
        run_batch,
        database.get(),
        std::vector<Statement>{
            insert(std::int64_t{2}, std::string("Ada")), insert(std::int64_t{3}, std::string("Bo"))
        }
    ));
    const auto snapshots = metrics.snapshot();
    ASSERT_EQ(snapshots.size(), 1U);
    EXPECT_EQ(snapshots[0].info.name, "db.client.operation.duration");
    std::vector<std::string> seen;
    for (const auto& point : snapshots[0].points) {
        std::string labels;
        for (const auto& [key, value] : point.labels) {
            labels += key + "=" + std::get<std::string>(value) + " ";
        }
        seen.push_back(labels + std::to_string(point.count));
    }
    std::ranges::sort(seen);
    const std::vector<std::string> expected = {
        "db.collection.name=pets db.operation.name=INSERT db.system.name=sqlite 1",
        "db.collection.name=pets db.operation.name=INSERT db.system.name=sqlite error.type=1555 1",
        "db.operation.name=BATCH INSERT db.system.name=sqlite 1",
    };
    EXPECT_EQ(seen, expected);
}

TEST(SqliteDatabaseFile, SaysThatItCannotBeOpened) {
    const auto database = make_sqlite_database({.path = "/proc/nowhere/x.db"});
    async::Runtime runtime;
    const auto reply = runtime.block_on(run, database.get(), Statement{"SELECT 1", "SELECT", "x"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace flowspan::sql
