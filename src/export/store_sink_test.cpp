#include "export/store_sink.hpp"

#include "export/books.hpp"
#include "export/lost_processes.hpp"
#include "export/span_pipeline.hpp"
#include "export/stored_span.hpp"
#include "export/stored_trace.hpp"
#include "export/test_records.hpp"
#include "flowspan/trace/names.hpp"
#include "store/span_store.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>
#include <opentelemetry/trace/span_startoptions.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::exporting {
namespace {

namespace sdk = opentelemetry::sdk::trace;
namespace otel = opentelemetry::trace;
using namespace std::chrono_literals;

/// A provider with a store in a folder of its own.
class StoreSinkTest : public testing::Test {
protected:
    StoreSinkTest() {
        folder_ = std::filesystem::temp_directory_path() /
                  ("flowspan-sink-" + std::to_string(::getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(folder_);
        config_.path = (folder_ / "traces.db").string();
        config_.delay = 1ms;
    }

public:
    ~StoreSinkTest() override {
        provider_.reset();
        std::filesystem::remove_all(folder_);
    }

protected:
    otel::Tracer& start(BatchConfig batch = {}, RunSamplingConfig sampling = {}) {
        ExportResource resource;
        resource.attributes.push_back({"service.name", std::string("tester")});
        auto pipeline = std::make_unique<SpanPipeline>(
            SpanPipeline::Options{.limits = {}, .batch = batch, .run_sampling = sampling},
            resource,
            std::vector<std::shared_ptr<SpanSink>>{make_store_sink(config_, real_clock())}
        );
        pipeline_ = pipeline.get();
        provider_ = sdk::TracerProviderFactory::Create(std::move(pipeline));
        tracer_ = provider_->GetTracer("test", "1.0", "https://example.org/schema");
        return *tracer_;
    }

    std::unique_ptr<store::SpanStore> read() {
        auto store = store::SpanStore::open({.path = config_.path, .is_read_only = true});
        EXPECT_TRUE(store) << store.error().full_text();
        return *std::move(store);
    }

    /// Until the store holds what the function wants to see; a test that never sees it hangs.
    template <class Function>
    void wait_until(Function is_there) {
        while (true) {
            auto store = store::SpanStore::open({.path = config_.path, .is_read_only = true});
            if (store && is_there(**store)) {
                return;
            }
            std::this_thread::yield();
        }
    }

    std::filesystem::path folder_;
    StoreConfig config_;
    SpanPipeline* pipeline_ = nullptr;
    std::shared_ptr<sdk::TracerProvider> provider_;
    opentelemetry::nostd::shared_ptr<otel::Tracer> tracer_;
};

store::TraceRow first_trace(store::SpanStore& store) {
    const auto traces = store.list_traces({});
    return traces && !traces->empty() ? traces->front() : store::TraceRow();
}

TEST_F(StoreSinkTest, ShowsASpanWhenItStartsWhatItLearnsAndItsEnd) {
    auto& tracer = start();
    const auto root = tracer.StartSpan("root", {{"early", "yes"}});
    wait_until([](auto& store) { return first_trace(store).open == 1; });
    auto store = read();
    const auto id = first_trace(*store).trace_id;
    auto parts = *read_trace(*store, id, kTestStartNs);
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_EQ(parts[0].spans.at(0)->text("early"), "yes");
    EXPECT_TRUE(parts[0].spans[0]->is_open);
    EXPECT_EQ(parts[0].process.pid, ::getpid());

    root->SetAttribute("late", "also");
    root->AddEvent("happened");
    wait_until([&id](auto& reader) {
        const auto now = read_trace(reader, id, 0);
        return now && now->at(0).spans.at(0)->text("late") == "also" &&
               now->at(0).spans[0]->event_count() == 1;
    });
    root->End();
    wait_until([](auto& reader) { return first_trace(reader).open == 0; });
    const auto ended = first_trace(*store);
    EXPECT_EQ(ended.spans, 1);
    EXPECT_EQ(ended.status, "ok");
    EXPECT_EQ(ended.root_name, "root");
    EXPECT_FALSE(read_trace(*store, id, 0)->at(0).spans.at(0)->is_open);
}

TEST_F(StoreSinkTest, BooksInTheFileAreExactAfterManyThreads) {
    auto& tracer = start();
    constexpr int kThreads = 4;
    constexpr int kSpansEach = 300;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&tracer] {
            for (int n = 0; n < kSpansEach; ++n) {
                const auto span = tracer.StartSpan("span");
                span->SetAttribute("n", n);
                span->End();
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    ASSERT_TRUE(pipeline_->Shutdown(30s));
    const auto store = read();
    const auto process = store->list_processes(1)->at(0);
    EXPECT_GT(process.ended_ns, 0);
    const auto books = *read_books(process.books);
    EXPECT_EQ(books.started, static_cast<std::uint64_t>(kThreads * kSpansEach));
    EXPECT_EQ(books.open, 0U);
    EXPECT_EQ(books.sinks.at(0).exported, books.started);
    EXPECT_EQ(books.sinks[0].queued + books.sinks[0].dropped.total(), 0U);
    EXPECT_EQ(store->size()->spans, kThreads * kSpansEach);
    EXPECT_EQ(store->ended_spans_of(process.id)->size(), books.started);
}

TEST_F(StoreSinkTest, NeverLeavesARowOpenWhoseEndWasDropped) {
    BatchConfig tiny;
    tiny.queue_spans_max = 0;
    auto& tracer = start(tiny);
    const auto span = tracer.StartSpan("lost");
    wait_until([](auto& store) { return first_trace(store).open == 1; });
    span->End();
    wait_until([](auto& store) { return first_trace(store).open == 0; });
    const auto store = read();
    const auto parts = *read_trace(*store, first_trace(*store).trace_id, 0);
    EXPECT_EQ(
        parts.at(0).spans.at(0)->text(trace::names::kFlowspanEndReason), "its end was dropped"
    );
    EXPECT_EQ(pipeline_->counts().sinks.at(0).dropped.queue_full, 1U);
}

TEST_F(StoreSinkTest, ClosesWhatNobodyEndedWhenTheProgramEnds) {
    auto& tracer = start();
    const auto seen = tracer.StartSpan("seen");
    wait_until([](auto& store) { return first_trace(store).open == 1; });
    const auto fresh = tracer.StartSpan("fresh");
    pipeline_->Shutdown(30s);
    const auto store = read();
    for (const auto& trace : *store->list_traces({})) {
        EXPECT_EQ(trace.open, 0);
        const auto parts = *read_trace(*store, trace.trace_id, 0);
        EXPECT_EQ(
            parts.at(0).spans.at(0)->text(trace::names::kFlowspanEndReason),
            "the program ended first"
        );
    }
    EXPECT_EQ(store->size()->spans, 2);
    EXPECT_EQ(read_books(store->list_processes(1)->at(0).books)->open, 2U);
}

TEST_F(StoreSinkTest, HearsWhyARunWasExportedAndKeepsItAllTheSame) {
    RunSamplingConfig sampling;
    sampling.ratio = 0;
    auto& tracer = start({}, sampling);
    const auto span = tracer.StartSpan("ordinary");
    wait_until([](auto& store) { return first_trace(store).sampling == "undecided"; });
    span->End();
    wait_until([](auto& store) { return first_trace(store).sampling == "dropped: ratio"; });
    ASSERT_TRUE(pipeline_->Shutdown(30s));
    EXPECT_EQ(first_trace(*read()).spans, 1);
}

TEST_F(StoreSinkTest, SpansOfALostProcessAreClosedOnceWithTheLastKnownFacts) {
    const TestSpan open_span{
        .id = 2, .parent = 1, .name = "chat", .attributes = {{"known", std::string_view("fact")}}
    };
    const auto record = make_record(open_span);
    record->is_open = true;
    record->duration_ns = 0;
    {
        auto lost = *store::SpanStore::open({.path = config_.path});
        store::ProcessRow process;
        process.id = 42;
        process.resource = "{}";
        ASSERT_TRUE(lost->begin_process(process));
        store::SpanWrite write;
        write.spans.push_back(
            {.trace_id = to_hex(record->trace_id),
             .span_id = to_hex(record->span_id),
             .process_id = 42,
             .start_ns = record->start_ns,
             .end_ns = 0,
             .sequence = 0,
             .record = write_stored_span(*record)}
        );
        store::TraceDelta delta;
        delta.trace_id = to_hex(record->trace_id);
        delta.spans = 1;
        delta.open = 1;
        write.traces.push_back(delta);
        process.seen_ns = record->start_ns + 5'000'000;
        PipelineCounts counts;
        counts.started = 3;
        counts.open = 1;
        counts.sinks.resize(2);
        counts.sinks[0].name = "store x";
        counts.sinks[0].offered = counts.sinks[0].exported = 2;
        counts.sinks[1].name = "otlp y";
        counts.sinks[1].offered = 2;
        counts.sinks[1].exported = counts.sinks[1].queued = 1;
        process.books = write_books(counts);
        write.process = process;
        ASSERT_TRUE(lost->write(write));
    }
    auto store = *store::SpanStore::open({.path = config_.path});
    EXPECT_EQ(*close_lost_processes(*store), 1U);
    EXPECT_EQ(*close_lost_processes(*store), 0U);
    const auto trace = first_trace(*store);
    EXPECT_EQ(trace.open, 0);
    EXPECT_EQ(trace.interrupted, 1);
    const auto parts = *read_trace(*store, trace.trace_id, 0);
    const auto& span = *parts.at(0).spans.at(0);
    EXPECT_EQ(span.text("known"), "fact");
    EXPECT_EQ(span.duration_ns, 5'000'000);
    EXPECT_EQ(span.status(), otel::StatusCode::kError);
    EXPECT_TRUE(span.has(trace::names::kFlowspanInterrupted));
    ASSERT_EQ(span.event_count(), 1U);
    EXPECT_EQ(span.event(0).name, trace::names::kFlowspanInterruptedEvent);
    const auto books = *read_books(parts[0].process.books);
    EXPECT_EQ(books.open, 0U);
    EXPECT_EQ(books.sinks.at(0).exported, books.started);
    EXPECT_EQ(books.sinks.at(1).queued, 2U) << "they wait for a process with that receiver";
    EXPECT_EQ(books.sinks.at(1).offered, books.started);
}

TEST(StoredSpan, IsTheSameAfterReadingItBack) {
    SpanRecord record;
    record.trace_id = test_trace_id(7);
    record.span_id = test_span_id(8);
    record.parent_span_id = test_span_id(9);
    record.is_parent_remote = true;
    record.trace_flags = 1;
    record.start_ns = kTestStartNs;
    record.duration_ns = 1234;
    record.kind = otel::SpanKind::kProducer;
    record.dropped_events = 3;
    record.set_name("n\"\nÃ¤");
    record.set_trace_state("a=b");
    record.set_scope("scope", "1.2", "https://example.org");
    const std::vector<std::string_view> texts = {"a", "", "c"};
    const std::vector<std::int64_t> integers = {1, -2};
    const std::vector<double> numbers = {0.5, 2};
    const bool flags[] = {true, false};
    const SpanLimits limits;
    record.set_attribute("text", std::string_view("x"), limits);
    record.set_attribute("int", std::int64_t{-5'000'000'000}, limits);
    record.set_attribute("double", 2.0, limits);
    record.set_attribute("bool", true, limits);
    record.set_attribute("bytes", ByteView{std::string_view("\0\xff\x01\x02", 4)}, limits);
    record.set_attribute("texts", std::span<const std::string_view>(texts), limits);
    record.set_attribute("integers", std::span<const std::int64_t>(integers), limits);
    record.set_attribute("numbers", std::span<const double>(numbers), limits);
    record.set_attribute("flags", std::span<const bool>(flags), limits);
    record.begin_event("event", kTestStartNs + 1, limits);
    record.add_event_attribute("k", std::string_view("v"), limits);
    record.begin_link(
        {.trace_id = test_trace_id(1),
         .span_id = test_span_id(2),
         .trace_state = "c=d",
         .trace_flags = 1,
         .is_remote = true},
        limits
    );
    record.add_link_attribute("l", std::int64_t{1}, limits);
    record.set_status(otel::StatusCode::kError, "why");
    record.finish();
    const auto text = write_stored_span(record);
    const auto back = read_stored_span(text);
    ASSERT_TRUE(back) << back.error().full_text();
    EXPECT_EQ(write_stored_span(**back), text);
    EXPECT_EQ((*back)->duration_ns, 1234);
    EXPECT_FALSE((*back)->is_open);
    EXPECT_FALSE(read_stored_span("{}"));
    EXPECT_FALSE(read_stored_span("no"));
}

}  // namespace
}  // namespace flowspan::exporting
