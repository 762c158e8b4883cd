#include "export/span_journal.hpp"

#include "export/test_records.hpp"
#include "flowspan/trace/names.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace flowspan::exporting {
namespace {

namespace fs = std::filesystem;
namespace names = trace::names;

class SpanJournalTest : public testing::Test {
protected:
    SpanJournalTest() {
        folder_ = fs::temp_directory_path() /
                  ("flowspan-journal-" + std::to_string(::getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(folder_);
        process_.id = 42;
        process_.pid = 7;
        process_.started_ns = kTestStartNs;
        process_.resource = "{\"who\":1}";
    }

public:
    ~SpanJournalTest() override { fs::remove_all(folder_); }

protected:
    [[nodiscard]] fs::path store() const { return folder_ / "traces.db"; }

    [[nodiscard]] std::unique_ptr<SpanJournal> make() const {
        return SpanJournal::make(store(), process_);
    }

    /// As after a kill: the file stays, its lock goes.
    [[nodiscard]] std::vector<LostJournal> lose(std::unique_ptr<SpanJournal> journal) const {
        journal.reset();
        return LostJournal::find_all(store());
    }

    [[nodiscard]] std::size_t file_count() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator())
        );
    }

    fs::path folder_;
    store::ProcessRow process_;
};

TEST_F(SpanJournalTest, TellsOfSpansThatRanWhoTheyWere) {
    auto journal = make();
    ASSERT_NE(journal, nullptr);
    const TestSpan node{
        .id = 2,
        .parent = 1,
        .name = "node code",
        .attributes =
            {{names::kNodeId, std::string_view("17")},
             {names::kDifyNodeIndex, std::int64_t{3}},
             {names::kUrlFull, std::string_view("http://example.org")}},
        .kind = opentelemetry::trace::SpanKind::kClient
    };
    EXPECT_NE(journal->add(*make_record(node)), 0U);
    journal->set_started(5);
    const auto lost = lose(std::move(journal));
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost[0].process().id, 42);
    EXPECT_EQ(lost[0].process().pid, 7);
    EXPECT_EQ(lost[0].process().resource, process_.resource);
    EXPECT_EQ(lost[0].started(), 5U);
    ASSERT_EQ(lost[0].spans().size(), 1U);
    const auto& span = *lost[0].spans().front();
    EXPECT_TRUE(span.is_open);
    EXPECT_EQ(span.name(), "node code");
    EXPECT_EQ(span.trace_id, test_trace_id(1));
    EXPECT_EQ(span.span_id, test_span_id(2));
    EXPECT_EQ(span.parent_span_id, test_span_id(1));
    EXPECT_EQ(span.kind, opentelemetry::trace::SpanKind::kClient);
    EXPECT_EQ(span.start_ns, kTestStartNs);
    EXPECT_EQ(span.text(names::kNodeId), "17");
    EXPECT_EQ(span.integer(names::kDifyNodeIndex), 3);
    EXPECT_FALSE(span.has(names::kUrlFull)) << "only what says which node it was";
}

TEST_F(SpanJournalTest, TellsOfSpansThatHadEndedWhenAndHow) {
    auto journal = make();
    const auto record = make_record({.id = 3, .duration_us = 250, .error = "no"});
    record->sequence = 9;
    journal->end(journal->add(*record), *record);
    const auto lost = lose(std::move(journal));
    const auto& span = *lost.at(0).spans().at(0);
    EXPECT_FALSE(span.is_open);
    EXPECT_EQ(span.duration_ns, 250'000);
    EXPECT_EQ(span.sequence, 9U);
    EXPECT_EQ(span.status(), opentelemetry::trace::StatusCode::kError);
    EXPECT_TRUE(span.has(names::kFlowspanFactsLost));
    EXPECT_EQ(lost[0].process().seen_ns, kTestStartNs + 250'000);
}

TEST_F(SpanJournalTest, ForgetsASpanOnlyByItsOwnId) {
    auto journal = make();
    const auto first = make_record({.id = 1});
    const auto second = make_record({.id = 2});
    const auto slot = journal->add(*first);
    journal->remove(slot, first->span_id);
    EXPECT_EQ(journal->add(*second), slot) << "slots are used again";
    journal->remove(slot, first->span_id);
    EXPECT_EQ(lose(std::move(journal)).at(0).spans().size(), 1U);
}

TEST_F(SpanJournalTest, NamesNoMoreSpansThanItHasRoomFor) {
    auto journal = make();
    const auto record = make_record({});
    std::size_t count = 0;
    while (journal->add(*record) != 0) {
        ++count;
    }
    EXPECT_EQ(count, 8192U);
    EXPECT_EQ(lose(std::move(journal)).at(0).spans().size(), count);
}

TEST_F(SpanJournalTest, CutsWhatIsLongAndLeavesOutWhatDoesNotFit) {
    auto journal = make();
    const std::string text(300, 'x');
    const TestSpan long_one{
        .name = text,
        .attributes =
            {{names::kNodeId, std::string_view(text)},
             {names::kNodeType, std::string_view(text)},
             {names::kDifyNodeTitle, std::string_view("short")}}
    };
    EXPECT_NE(journal->add(*make_record(long_one)), 0U);
    const auto lost = lose(std::move(journal));
    const auto& span = *lost.at(0).spans().at(0);
    EXPECT_EQ(span.name(), text.substr(0, 64));
    EXPECT_EQ(span.text(names::kNodeId), text.substr(0, 64));
    EXPECT_FALSE(span.has(names::kNodeType)) << "two of them fill the slot";
    EXPECT_EQ(span.text(names::kDifyNodeTitle), "short");
}

TEST_F(SpanJournalTest, IsReadOnlyAfterItsProcessAndByOneReader) {
    auto journal = make();
    EXPECT_TRUE(LostJournal::find_all(store()).empty()) << "its process lives";
    EXPECT_TRUE(LostJournal::is_held(store(), process_.id));
    auto lost = lose(std::move(journal));
    EXPECT_EQ(lost.size(), 1U);
    EXPECT_TRUE(LostJournal::find_all(store()).empty()) << "somebody reads it";
    EXPECT_TRUE(LostJournal::is_held(store(), process_.id));
    lost.front().discard();
    lost.clear();
    EXPECT_FALSE(LostJournal::is_held(store(), process_.id));
    EXPECT_EQ(file_count(), 0U);
}

TEST_F(SpanJournalTest, LeavesNothingAfterAnOrderlyEnd) {
    auto journal = make();
    EXPECT_NE(journal->add(*make_record({})), 0U);
    journal->discard();
    EXPECT_TRUE(lose(std::move(journal)).empty());
    EXPECT_EQ(file_count(), 0U);
}

TEST_F(SpanJournalTest, RemovesWhatWasNeverFinishedOnceItIsOld) {
    fs::create_directories(folder_);
    const auto path = store().string() + "-live-000000000001";
    std::ofstream(path) << "not a journal";
    EXPECT_TRUE(LostJournal::find_all(store()).empty());
    EXPECT_EQ(file_count(), 1U) << "somebody may be making it";
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2));
    EXPECT_TRUE(LostJournal::find_all(store()).empty());
    EXPECT_EQ(file_count(), 0U);
}

}  // namespace
}  // namespace flowspan::exporting
