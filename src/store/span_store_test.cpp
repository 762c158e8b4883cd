#include "store/span_store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace flowspan::store {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kStartNs = 1'769'817'600'000'000'000;
constexpr std::int64_t kHourNs = 3'600'000'000'000;

std::string trace_id(int number) {
    auto digits = std::to_string(number);
    return std::string(32 - digits.size(), '0') + digits;
}

class SpanStoreTest : public testing::Test {
protected:
    SpanStoreTest() {
        folder_ = std::filesystem::temp_directory_path() /
                  ("flowspan-store-" + std::to_string(::getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(folder_);
    }

    ~SpanStoreTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] SpanStoreOptions options() const {
        SpanStoreOptions result;
        result.path = folder_ / "deep" / "traces.db";
        return result;
    }

    std::filesystem::path folder_;
};

std::unique_ptr<SpanStore> open(const SpanStoreOptions& options) {
    auto store = SpanStore::open(options);
    EXPECT_TRUE(store) << store.error().full_text();
    return store ? *std::move(store) : nullptr;
}

/// A trace of one span.
SpanWrite write_of(int number, std::int64_t start_ns, std::int64_t open = 0) {
    SpanWrite write;
    write.spans.push_back(
        {.trace_id = trace_id(number),
         .span_id = "00000000000000aa",
         .process_id = 7,
         .start_ns = start_ns,
         .end_ns = open > 0 ? 0 : start_ns + 1000,
         .sequence = 1,
         .record = std::string(1000, 'x')}
    );
    TraceDelta delta;
    delta.trace_id = trace_id(number);
    delta.start_ns = start_ns;
    delta.last_ns = start_ns + 1000;
    delta.spans = 1;
    delta.open = open;
    delta.app_name = "App " + std::to_string(number);
    delta.status = open > 0 ? "" : "succeeded";
    write.traces.push_back(delta);
    return write;
}

ProcessRow process_of(std::int64_t id) {
    ProcessRow process;
    process.id = id;
    process.pid = 4711;
    process.resource = "{}";
    process.started_ns = kStartNs;
    process.seen_ns = kStartNs;
    return process;
}

TEST_F(SpanStoreTest, KnowsASpanWhileItRunsAndWhenItEnds) {
    const auto writer = open(options());
    ASSERT_TRUE(writer->begin_process(process_of(7)));
    ASSERT_TRUE(writer->write(write_of(1, kStartNs, 1)));
    const auto reader = open(options());
    auto traces = *reader->list_traces({});
    ASSERT_EQ(traces.size(), 1U);
    EXPECT_EQ(traces[0].status, "running");
    EXPECT_EQ(reader->read_spans(trace_id(1))->at(0).end_ns, 0);
    const auto seen = *reader->last_change();

    auto ended = write_of(1, kStartNs);
    ended.traces[0].spans = 0;
    ended.traces[0].open = -1;
    ASSERT_TRUE(writer->write(ended));
    traces = *reader->list_traces({});
    ASSERT_EQ(traces.size(), 1U);
    EXPECT_EQ(traces[0].status, "succeeded");
    EXPECT_EQ(traces[0].spans, 1);
    EXPECT_EQ(reader->read_spans(trace_id(1), seen)->at(0).end_ns, kStartNs + 1000);
    EXPECT_TRUE(reader->read_spans(trace_id(1), *reader->last_change())->empty());
}

TEST_F(SpanStoreTest, FiltersByAppStatusTimeAndNumber) {
    const auto store = open(options());
    for (int i = 1; i <= 12; ++i) {
        ASSERT_TRUE(store->write(write_of(i, kStartNs + i * kHourNs, i == 12 ? 1 : 0)));
    }
    const auto ids = [&store](TraceFilter filter) {
        std::string text;
        for (const auto& trace : *store->list_traces(filter)) {
            text += trace.app_name.substr(4) + " ";
        }
        return text;
    };
    EXPECT_EQ(ids({.limit = 3}), "12 11 10 ");
    EXPECT_EQ(ids({.app = "aPP 1"}), "12 11 10 1 ");
    EXPECT_EQ(ids({.app = "%"}), "");
    EXPECT_EQ(ids({.status = "running"}), "12 ");
    EXPECT_EQ(ids({.since_ns = kStartNs + 11 * kHourNs}), "12 11 ");
    EXPECT_EQ(store->find_traces("0000000000000000000000000000001", 5)->size(), 3U);
    EXPECT_EQ(store->find_traces(trace_id(12), 5)->size(), 1U);
}

TEST_F(SpanStoreTest, RemovesTheOldAndThenTheOldestUntilTheSizeFits) {
    auto limits = options();
    limits.age_max = 10h;
    const auto store = open(limits);
    for (int i = 1; i <= 12; ++i) {
        ASSERT_TRUE(store->write(write_of(i, kStartNs + i * kHourNs)));
    }
    ASSERT_TRUE(store->write(write_of(13, kStartNs, 1)));
    EXPECT_EQ(*store->prune(kStartNs + 15 * kHourNs), 4) << "running ones are kept";
    EXPECT_EQ(store->size()->traces, 9);

    auto small = options();
    small.bytes_max = 64UL * 1024UL;
    const auto bounded = open(small);
    for (int i = 100; i < 300; ++i) {
        ASSERT_TRUE(bounded->write(write_of(i, kStartNs + i * kHourNs)));
    }
    EXPECT_GT(*bounded->prune(kStartNs), 100);
    const auto size = *bounded->size();
    EXPECT_LE(size.file_bytes, 64 * 1024);
    EXPECT_GT(size.traces, 5);
    EXPECT_EQ(bounded->list_traces({.limit = 1})->at(0).app_name, "App 299");
}

TEST_F(SpanStoreTest, RefusesSpansWhileItIsFullOfRunningTraces) {
    auto small = options();
    small.bytes_max = 64UL * 1024UL;
    const auto store = open(small);
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(store->write(write_of(i, kStartNs, 1)));
    }
    ASSERT_EQ(*store->prune(kStartNs), 0);
    const auto refused = store->write(write_of(100, kStartNs));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::limit_exceeded);
}

TEST_F(SpanStoreTest, TakesOverALostProcessOnce) {
    {
        const auto lost = open(options());
        ASSERT_TRUE(lost->begin_process(process_of(7)));
        ASSERT_TRUE(lost->write(write_of(1, kStartNs, 1)));
        const auto other = open(options());
        EXPECT_TRUE(other->find_lost_processes()->empty()) << "its lock is held";
        EXPECT_TRUE(other->is_alive(7));
        EXPECT_TRUE(lost->find_lost_processes()->empty()) << "it is that process itself";
    }
    const auto first = open(options());
    const auto second = open(options());
    const auto lost = *first->find_lost_processes();
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost[0].pid, 4711);
    EXPECT_TRUE(first->take_over(7)->has_value());
    EXPECT_FALSE(second->take_over(7)->has_value()) << "the first is at it";
    EXPECT_EQ(first->open_spans_of(7)->size(), 1U);
    SpanWrite closing;
    closing.process = lost[0];
    closing.process->is_crashed = true;
    ASSERT_TRUE(first->write(closing));
    first->release(7);
    EXPECT_FALSE(second->take_over(7)->has_value()) << "it is closed";
    EXPECT_TRUE(second->find_lost_processes()->empty());
}

TEST_F(SpanStoreTest, SaysWhatIsWrongWithAFile) {
    auto read_only = options();
    read_only.is_read_only = true;
    const auto missing = SpanStore::open(read_only);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);

    std::filesystem::create_directories(options().path.parent_path());
    std::ofstream(options().path) << std::string(5000, 'x');
    const auto garbage = SpanStore::open(options());
    ASSERT_FALSE(garbage);
    EXPECT_NE(garbage.error().message.find(options().path.string()), std::string::npos);

    std::filesystem::remove(options().path);
    {
        sql::Connection other({.path = options().path});
        ASSERT_TRUE(other.run({.text = "CREATE TABLE spans(x)", .operation = "", .target = ""}));
    }
    EXPECT_FALSE(SpanStore::open(options())) << "a database of somebody else";

    std::filesystem::remove(options().path);
    {
        sql::Connection newer({.path = options().path});
        ASSERT_TRUE(newer.run({.text = "PRAGMA user_version = 99", .operation = "", .target = ""}));
    }
    const auto refused = SpanStore::open(options());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace flowspan::store
