#pragma once
// SpanPipeline: from the SDK's span end to every sink, with exact books.

#include "export/live_span.hpp"
#include "export/pending_spans.hpp"
#include "export/run_sampler.hpp"
#include "export/sink_queue.hpp"
#include "export/span_sink.hpp"
#include "flowspan/export/pipeline_counts.hpp"
#include "flowspan/export/span_limits.hpp"

#include <opentelemetry/sdk/trace/processor.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

/// The one processor of our provider: each span is recorded once, whatever the number of sinks.
class SpanPipeline final : public opentelemetry::sdk::trace::SpanProcessor {
public:
    struct Options {
        SpanLimits limits;
        BatchConfig batch;
        /// For spans outside of runs; null: only what is built in.
        std::shared_ptr<const trace::Redactor> redactor = {};
        RunSamplingConfig run_sampling = {};
        std::chrono::milliseconds pending_after{0};
    };

    /// Sinks begin at once with `resource`.
    SpanPipeline(
        Options options,
        const ExportResource& resource,
        const std::vector<std::shared_ptr<SpanSink>>& sinks
    );
    ~SpanPipeline() override;

    [[nodiscard]] PipelineCounts counts() const;

    std::unique_ptr<opentelemetry::sdk::trace::Recordable> MakeRecordable() noexcept override;
    void OnStart(
        opentelemetry::sdk::trace::Recordable& span,
        const opentelemetry::trace::SpanContext& parent_context
    ) noexcept override;
    /// Never waits for a sink's queue; sinks that asked for it are called here.
    void OnEnd(std::unique_ptr<opentelemetry::sdk::trace::Recordable>&& span) noexcept override;
    /// Both respect `timeout` over all sinks together, and say truly whether spans were lost.
    bool ForceFlush(std::chrono::microseconds timeout) noexcept override;
    bool Shutdown(std::chrono::microseconds timeout) noexcept override;
    /// True: the local store knows all that has happened so far, or there is none.
    bool settle_store(std::chrono::microseconds timeout) noexcept;

private:
    // A sink that is called at the span's end.
    struct DirectSink {
        explicit DirectSink(std::shared_ptr<SpanSink> target) : sink(std::move(target)) {}

        std::shared_ptr<SpanSink> sink;  // owners: the pipeline and the program that reads it
        std::atomic<std::uint64_t> offered{0};
        std::atomic<std::uint64_t> failed{0};
    };

    void judged(const opentelemetry::trace::TraceId& trace_id, std::string_view judgement);
    void push_sampled(const SpanRecordPtr& span);

    // With the queue to wake, if its sink has one.
    struct Observer {
        SpanObserver* observer = nullptr;
        SinkQueue* queue = nullptr;
    };

    Options options_;
    std::vector<std::unique_ptr<DirectSink>> direct_;
    std::vector<std::unique_ptr<SinkQueue>> queues_;
    std::unique_ptr<RunSampler> sampler_;  // null: all runs are kept
    std::vector<Observer> observers_;      // fixed before the first span
    std::atomic<std::uint64_t> sequence_{0};
    std::atomic<std::uint64_t> announced_{0};
    std::atomic<std::uint64_t> started_{0};
    std::atomic<std::uint64_t> ended_{0};
    std::atomic<std::uint64_t> unsampled_{0};
    // Last: its thread uses the queues.
    std::unique_ptr<PendingSpans> pending_;  // may be null
};

}  // namespace flowspan::exporting
