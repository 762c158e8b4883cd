#include "export/span_pipeline.hpp"

#include "export/memory_sink.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/tracer.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <opentelemetry/trace/span_context.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace flowspan::exporting {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

/// A sink that answers by a script and tells what it got.
class ScriptedSink final : public SpanSink {
public:
    using Script = std::function<Result<ExportReceipt>(SpanBatch)>;

    explicit ScriptedSink(Script script) : script_(std::move(script)) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        {
            const std::scoped_lock lock(mutex_);
            batch_sizes_.push_back(batch.size());
        }
        return script_(batch);
    }

    [[nodiscard]] std::vector<std::size_t> batch_sizes() const {
        const std::scoped_lock lock(mutex_);
        return batch_sizes_;
    }

private:
    Script script_;
    mutable std::mutex mutex_;
    std::vector<std::size_t> batch_sizes_;
};

Result<ExportReceipt> accept(SpanBatch /*batch*/) {
    return ExportReceipt{};
}

/// Blocks every export until `open` is called, or for ever if it ignores cancel().
class GateSink final : public SpanSink {
public:
    explicit GateSink(bool obeys_cancel) : obeys_cancel_(obeys_cancel) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "gate"; }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch /*batch*/) override {
        std::unique_lock lock(mutex_);
        is_entered_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return is_open_ || is_cancelled_; });
        if (is_open_) {
            return ExportReceipt{};
        }
        return failure(ErrorCode::timeout, "cancelled");
    }

    void cancel() noexcept override {
        const std::scoped_lock lock(mutex_);
        is_cancelled_ = obeys_cancel_;
        changed_.notify_all();
    }

    void open() {
        const std::scoped_lock lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }

    void wait_until_entered() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return is_entered_; });
    }

private:
    const bool obeys_cancel_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_entered_ = false;
    bool is_open_ = false;
    bool is_cancelled_ = false;
};

std::unique_ptr<Telemetry> start(
    std::vector<std::shared_ptr<SpanSink>> sinks, BatchConfig batch = {}
) {
    TelemetryConfig config;
    config.batch = batch;
    config.sinks = std::move(sinks);
    return std::move(Telemetry::start(std::move(config)).value());
}

void make_spans(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto span = trace::tracer().StartSpan("span");
        span->SetAttribute("index", static_cast<std::int64_t>(i));
        span->End();
    }
}

void expect_exact(const PipelineCounts& counts) {
    for (const auto& sink : counts.sinks) {
        EXPECT_EQ(sink.offered, sink.exported + sink.queued + sink.dropped.total()) << sink.name;
        EXPECT_EQ(counts.ended(), counts.unsampled + sink.offered) << sink.name;
    }
}

BatchConfig quick() {
    BatchConfig batch;
    batch.schedule_delay = 1ms;
    batch.retry_delay_first = 1ms;
    batch.retry_delay_max = 2ms;
    return batch;
}

TEST(SpanPipeline, EverySpanReachesEverySink) {
    const auto memory = std::make_shared<MemorySink>();
    const auto first = std::make_shared<ScriptedSink>(accept);
    const auto second = std::make_shared<ScriptedSink>(accept);
    const auto telemetry = start({memory, first, second});
    make_spans(1000);
    EXPECT_TRUE(telemetry->flush(kPatience));
    const auto counts = telemetry->counts();
    ASSERT_EQ(counts.sinks.size(), 3U);
    for (const auto& sink : counts.sinks) {
        EXPECT_EQ(sink.exported, 1000U);
    }
    EXPECT_EQ(memory->spans().size(), 1000U);
    const auto report = telemetry->shutdown();
    EXPECT_EQ(report.exported, 3000U);
    EXPECT_EQ(report.lost, 0U);
    EXPECT_TRUE(report.messages.empty());
}

TEST(SpanPipeline, BooksAreExactWithManyThreadsASmallQueueAndASlowSink) {
    auto batch = quick();
    batch.queue_spans_max = 64;
    batch.batch_spans_max = 16;
    std::atomic<std::uint64_t> received{0};
    const auto slow = std::make_shared<ScriptedSink>([&received](SpanBatch spans) {
        received += spans.size();
        std::this_thread::yield();
        return accept(spans);
    });
    const auto telemetry = start({slow}, batch);
    constexpr std::size_t kThreads = 8;
    constexpr std::size_t kSpansEach = 3000;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < kThreads; ++i) {
            threads.emplace_back([] { make_spans(kSpansEach); });
        }
        for (int i = 0; i < 100; ++i) {
            const auto now = telemetry->counts();
            EXPECT_LE(now.sinks[0].queued, 64U);
            EXPECT_LE(now.ended(), now.started);
        }
    }
    const auto report = telemetry->shutdown(kPatience);
    const auto counts = telemetry->counts();
    expect_exact(counts);
    EXPECT_EQ(counts.started, kThreads * kSpansEach);
    EXPECT_EQ(counts.open, 0U);
    EXPECT_EQ(counts.sinks[0].queued, 0U);
    EXPECT_EQ(counts.sinks[0].exported, received.load());
    EXPECT_EQ(report.exported + report.lost, kThreads * kSpansEach);
}

TEST(SpanPipeline, ADeadSinkDoesNotHoldUpTheOthers) {
    const auto gate = std::make_shared<GateSink>(true);
    const auto good = std::make_shared<ScriptedSink>(accept);
    auto batch = quick();
    batch.queue_spans_max = 10;
    const auto telemetry = start({gate, good}, batch);
    make_spans(1);
    gate->wait_until_entered();
    const auto give_up = real_clock().steady_now() + kPatience;
    for (std::uint64_t round = 1; round <= 20; ++round) {
        make_spans(5);
        while (telemetry->counts().sinks[1].exported < 1 + 5 * round &&
               real_clock().steady_now() < give_up) {
            std::this_thread::yield();
        }
    }
    const auto counts = telemetry->counts();
    expect_exact(counts);
    EXPECT_EQ(counts.sinks[1].exported, 101U);
    EXPECT_EQ(counts.sinks[0].queued, 10U);
    EXPECT_EQ(counts.sinks[0].dropped.queue_full, 91U);
    gate->open();
    EXPECT_EQ(telemetry->shutdown(kPatience).lost, 91U);
}

TEST(SpanPipeline, QueueIsBoundedInBytes) {
    const auto gate = std::make_shared<GateSink>(true);
    auto batch = quick();
    batch.queue_bytes_max = 300'000;
    const auto telemetry = start({gate}, batch);
    for (int i = 0; i < 10; ++i) {
        const auto span = trace::tracer().StartSpan("span");
        span->SetAttribute("prompt", std::string(100'000, 'x'));
        span->End();
    }
    const auto counts = telemetry->counts();
    expect_exact(counts);
    EXPECT_EQ(counts.sinks[0].queued, 2U);
    EXPECT_EQ(counts.sinks[0].dropped.queue_bytes, 8U);
    EXPECT_LE(counts.sinks[0].queued_bytes, 300'000U);
    gate->open();
}

TEST(SpanPipeline, BatchesAreSplitByCountAndBytes) {
    const auto sink = std::make_shared<ScriptedSink>(accept);
    BatchConfig batch;
    batch.batch_spans_max = 4;
    batch.batch_bytes_max = 50'000;
    batch.schedule_delay = 1h;
    const auto telemetry = start({sink}, batch);
    // Less than a batch of each kind does not wake the worker, so the whole is seen as one load.
    make_spans(2);
    {
        const auto span = trace::tracer().StartSpan("giant");
        span->SetAttribute("prompt", std::string(100'000, 'x'));
        span->End();
    }
    EXPECT_TRUE(telemetry->flush(kPatience));
    make_spans(9);
    EXPECT_TRUE(telemetry->flush(kPatience));
    for (const auto size : sink->batch_sizes()) {
        EXPECT_LE(size, 4U);
    }
    // The giant's neighbours never travel with it.
    EXPECT_EQ(sink->batch_sizes()[0], 2U);
    EXPECT_EQ(sink->batch_sizes()[1], 1U);
}

TEST(SpanPipeline, RetryableFailuresAreTriedAgain) {
    int calls = 0;
    const auto sink =
        std::make_shared<ScriptedSink>([&calls](SpanBatch batch) -> Result<ExportReceipt> {
            if (++calls < 4) {
                return failure(ErrorCode::unavailable, "not yet");
            }
            return accept(batch);
        });
    const auto telemetry = start({sink}, quick());
    make_spans(3);
    EXPECT_TRUE(telemetry->flush(kPatience));
    const auto counts = telemetry->counts().sinks[0];
    EXPECT_EQ(counts.exported, 3U);
    EXPECT_EQ(counts.failed_attempts, 3U);
}

TEST(SpanPipeline, FinalFailuresAndExhaustedRetriesAreBooked) {
    struct Case {
        ErrorCode code;
        std::uint64_t attempts;
    };

    for (const auto& test : {Case{ErrorCode::remote_failure, 1}, Case{ErrorCode::unavailable, 5}}) {
        const auto sink =
            std::make_shared<ScriptedSink>([&test](SpanBatch) -> Result<ExportReceipt> {
                return failure(test.code, "no");
            });
        const auto telemetry = start({sink}, quick());
        make_spans(2);
        EXPECT_FALSE(telemetry->flush(kPatience));
        const auto counts = telemetry->counts();
        expect_exact(counts);
        EXPECT_EQ(counts.sinks[0].dropped.export_failed, 2U);
        EXPECT_EQ(counts.sinks[0].failed_attempts, test.attempts);
        const auto report = telemetry->shutdown();
        ASSERT_EQ(report.messages.size(), 1U);
        EXPECT_EQ(report.messages[0], "scripted did not get 2 spans: no");
    }
}

TEST(SpanPipeline, PartialSuccessIsBooked) {
    const auto sink = std::make_shared<ScriptedSink>([](SpanBatch) -> Result<ExportReceipt> {
        return ExportReceipt{1, "too old"};
    });
    const auto telemetry = start({sink}, quick());
    make_spans(3);
    EXPECT_FALSE(telemetry->flush(kPatience));
    const auto counts = telemetry->counts();
    expect_exact(counts);
    EXPECT_EQ(counts.sinks[0].exported, 2U);
    EXPECT_EQ(counts.sinks[0].dropped.rejected, 1U);
}

TEST(SpanPipeline, ShutdownRespectsItsBudgetWithAHangingSink) {
    for (const bool obeys_cancel : {true, false}) {
        const auto gate = std::make_shared<GateSink>(obeys_cancel);
        auto telemetry = start({gate}, quick());
        make_spans(3);
        gate->wait_until_entered();
        make_spans(2);
        const auto before = real_clock().steady_now();
        const auto report = telemetry->shutdown(300ms);
        EXPECT_LT(real_clock().steady_now() - before, 2s);
        EXPECT_EQ(report.lost, 5U);
        EXPECT_EQ(report.exported, 0U);
        expect_exact(telemetry->counts());
        telemetry.reset();
        gate->open();  // lets an abandoned thread end, which must touch nothing that is gone
    }
}

TEST(SpanPipeline, ShutdownGivesUpQuicklyOnAReceiverThatIsDown) {
    const auto sink = std::make_shared<ScriptedSink>([](SpanBatch) -> Result<ExportReceipt> {
        return failure(ErrorCode::unavailable, "refused");
    });
    BatchConfig batch;
    batch.batch_spans_max = 1;
    batch.schedule_delay = 1h;
    const auto telemetry = start({sink}, batch);
    make_spans(1);
    const auto before = real_clock().steady_now();
    const auto report = telemetry->shutdown(30s);
    EXPECT_LT(real_clock().steady_now() - before, 10s);
    EXPECT_EQ(report.lost, 1U);
}

TEST(SpanPipeline, SpansThatEndAfterTheShutdownAreBooked) {
    const auto telemetry = start({std::make_shared<NullSink>()});
    const auto late = trace::tracer().StartSpan("late");
    const auto report = telemetry->shutdown();
    EXPECT_EQ(report.open, 1U);
    ASSERT_EQ(report.messages.size(), 1U);
    EXPECT_EQ(report.messages[0], "1 span never ended");
    late->End();
    const auto counts = telemetry->counts();
    expect_exact(counts);
    EXPECT_EQ(counts.open, 0U);
    EXPECT_EQ(counts.sinks[0].dropped.shutdown, 1U);
}

TEST(SpanPipeline, UnsampledSpansStayHereAndAreBooked) {
    const auto memory = std::make_shared<MemorySink>();
    SpanPipeline pipeline({}, {}, {memory, std::make_shared<NullSink>()});
    for (const bool is_sampled : {false, true, false}) {
        auto recordable = pipeline.MakeRecordable();
        recordable->SetTraceFlags(opentelemetry::trace::TraceFlags(is_sampled ? 1 : 0));
        pipeline.OnStart(*recordable, opentelemetry::trace::SpanContext::GetInvalid());
        pipeline.OnEnd(std::move(recordable));
    }
    const auto counts = pipeline.counts();
    expect_exact(counts);
    EXPECT_EQ(counts.ended(), 3U);
    EXPECT_EQ(counts.unsampled, 2U);
    EXPECT_EQ(memory->spans().size(), 1U);
}

TEST(SpanPipeline, MemoryIsBounded) {
    const auto memory = std::make_shared<MemorySink>(5);
    const auto telemetry = start({memory});
    make_spans(8);
    const auto counts = telemetry->counts();
    expect_exact(counts);
    EXPECT_EQ(memory->spans().size(), 5U);
    EXPECT_EQ(counts.sinks[0].dropped.export_failed, 3U);
}

TEST(SpanPipeline, SpansMayOutliveTheTelemetry) {
    auto telemetry = start({std::make_shared<NullSink>()});
    const auto span = trace::tracer().StartSpan("survivor");
    telemetry.reset();
    span->SetAttribute("after", 1);
    span->End();
    EXPECT_FALSE(trace::is_tracing_enabled());
}

}  // namespace
}  // namespace flowspan::exporting
