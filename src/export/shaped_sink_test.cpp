#include "export/shaped_sink.hpp"

#include "export/memory_sink.hpp"
#include "export/sink_queue.hpp"
#include "export/test_records.hpp"
#include "flowspan/trace/names.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace flowspan::exporting {
namespace {

namespace names = trace::names;
using trace::CaptureMode;
using trace::ContentKind;
using trace::ContentModes;

/// A node of `type` with content, recorded in full.
SpanRecordPtr recorded(std::string_view type, std::string_view app = "app") {
    static const std::string_view kIds[] = {"d1", "d2"};
    static const double kScores[] = {0.5, 0.25};
    auto span = make_record(
        {.attributes =
             {
                 {names::kNodeType, type},
                 {names::kInputValue, std::string_view("in")},
                 {names::kFlowspanInputBytes, std::int64_t{2}},
                 {names::kFlowspanInputRef, std::string_view("ref")},
                 {names::kOutputValue, std::string_view("out")},
                 {names::kFlowspanOutputBytes, std::int64_t{3}},
                 {names::kGenAiRetrievalDocuments,
                  std::string_view(R"([{"id":"d1","content":"c"}])")},
                 {names::kFlowspanDocumentIds, std::span<const std::string_view>(kIds)},
                 {names::kFlowspanDocumentScores, std::span<const double>(kScores)},
             }}
    );
    auto run = std::make_shared<trace::RunScope>();
    run->app_name = app;
    run->modes = ContentModes(CaptureMode::full);
    span->run = run;
    return span;
}

TEST(ShapedSink, PassesOnTheSameSpanWhenAllMayBeSeen) {
    const auto span = recorded("code");
    EXPECT_EQ(without_content(span, ContentModes(CaptureMode::full)), span);
}

TEST(ShapedSink, MetadataKeepsSizesAndIds) {
    const auto span = without_content(recorded("code"), ContentModes(CaptureMode::metadata));
    EXPECT_FALSE(span->has(names::kInputValue));
    EXPECT_FALSE(span->has(names::kFlowspanInputRef));
    EXPECT_EQ(span->integer(names::kFlowspanInputBytes), 2);
    EXPECT_EQ(span->integer(names::kFlowspanOutputBytes), 3);
    EXPECT_EQ(
        span->text(names::kGenAiRetrievalDocuments),
        R"([{"id":"d1","score":5E-1},{"id":"d2","score":2.5E-1}])"
    );
}

TEST(ShapedSink, OffKeepsNothingOfContent) {
    const auto span = without_content(recorded("code"), ContentModes(CaptureMode::off));
    EXPECT_EQ(span->attribute_count(), 1U);
    EXPECT_TRUE(span->has(names::kNodeType));
}

TEST(ShapedSink, ShowsAModelNodesOutputOnlyWhereAnswersAreShown) {
    ContentModes modes(CaptureMode::full);
    modes.set(ContentKind::answers, CaptureMode::metadata);
    EXPECT_FALSE(without_content(recorded("llm"), modes)->has(names::kOutputValue));
    EXPECT_TRUE(without_content(recorded("llm"), modes)->has(names::kInputValue));
    EXPECT_TRUE(without_content(recorded("code"), modes)->has(names::kOutputValue));
}

TEST(ShapedSink, HasRulesByApp) {
    const auto memory = std::make_shared<MemorySink>();
    SpanShape shape{{ContentModes(CaptureMode::metadata), {}}};
    shape.content.apps.push_back({"open-*", ContentModes(CaptureMode::full)});
    const auto sink = make_shaped_sink(memory, shape);
    EXPECT_FALSE(sink->prepare(recorded("code", "closed"))->has(names::kInputValue));
    EXPECT_TRUE(sink->prepare(recorded("code", "open-1"))->has(names::kInputValue));
}

TEST(ShapedSink, ShowsOfAnUnknownRunOnlyWhatAnyAppMayShow) {
    trace::ContentRules rules{ContentModes(CaptureMode::full), {}};
    const auto unknown = make_record({});
    EXPECT_EQ(modes_for(rules, *unknown), ContentModes(CaptureMode::full));
    ContentModes closed(CaptureMode::full);
    closed.set(ContentKind::prompts, CaptureMode::off);
    rules.apps = {{"closed", closed}, {"open", ContentModes(CaptureMode::metadata)}};
    EXPECT_EQ(modes_for(rules, *unknown)[ContentKind::prompts], CaptureMode::off);
    EXPECT_EQ(modes_for(rules, *unknown)[ContentKind::answers], CaptureMode::metadata);
    EXPECT_EQ(modes_for(rules, *recorded("code", "other")), ContentModes(CaptureMode::full));
}

TEST(ShapedSink, SpeaksItsDialectAboutWhatMayBeSeen) {
    SpanShape shape{{ContentModes(CaptureMode::metadata), {}}, find_dialect("langfuse")};
    const auto sink = make_shaped_sink(std::make_shared<MemorySink>(), shape);
    const auto span = sink->prepare(recorded("code"));
    EXPECT_EQ(span->text("langfuse.observation.type"), "span");
    EXPECT_FALSE(span->has("langfuse.observation.input"));
}

/// Makes spans larger, fails once, and notes what it got.
class GrowingSink final : public SpanSink {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "growing"; }

    [[nodiscard]] SpanRecordPtr prepare(const SpanRecordPtr& span) override {
        ++prepared;
        SpanWriter writer(*span);
        const std::string text(100'000, 'x');
        writer.set("text", std::string_view(text));
        return writer.take();
    }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        if (!std::exchange(has_failed_, true)) {
            return failure(ErrorCode::unavailable, "not now");
        }
        batches.push_back(batch.size());
        return ExportReceipt{};
    }

    std::size_t prepared = 0;
    std::vector<std::size_t> batches;

private:
    bool has_failed_ = false;
};

TEST(ShapedSink, BatchesAreSplitByWhatIsSent) {
    const auto sink = std::make_shared<GrowingSink>();
    SinkCounts counts;
    {
        BatchConfig config;
        config.batch_bytes_max = 250'000;
        config.retry_delay_first = std::chrono::milliseconds(1);
        SinkQueue queue(sink, config);
        for (std::uint8_t id = 1; id <= 10; ++id) {
            queue.push(make_record({.id = id}));
        }
        const auto deadline = real_clock().steady_now() + std::chrono::seconds(20);
        EXPECT_TRUE(queue.wait_flushed(queue.begin_flush(), deadline));
        counts = queue.counts();
        queue.begin_close(deadline);
        queue.wait_closed(deadline);
    }
    EXPECT_EQ(counts.exported, 10U);
    EXPECT_EQ(counts.queued_bytes, 0U);
    EXPECT_EQ(sink->prepared, 10U) << "once, however often it is tried";
    for (const auto size : sink->batches) {
        EXPECT_LE(size, 2U);
    }
}

TEST(ShapedSink, RefusesADialectThatNobodySpeaks) {
    Destination destination;
    destination.name = "mine";
    destination.otlp.endpoint = "http://127.0.0.1:1/v1/traces";
    destination.dialect = "klingon";
    const auto sink = make_destination_sink(destination);
    ASSERT_FALSE(sink);
    EXPECT_NE(sink.error().message.find("`klingon`"), std::string::npos);
    EXPECT_NE(sink.error().message.find("openinference"), std::string::npos);
    destination.dialect = "dify";
    destination.otlp.endpoint = "nowhere";
    EXPECT_FALSE(make_destination_sink(destination));
}

}  // namespace
}  // namespace flowspan::exporting
