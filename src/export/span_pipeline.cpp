#include "export/span_pipeline.hpp"

#include "export/span_recordable.hpp"

#include <opentelemetry/trace/span_context.h>

#include <algorithm>
#include <utility>

namespace sdk = opentelemetry::sdk::trace;

namespace flowspan::exporting {

namespace {

// "Without limit" arrives as the largest duration, which no clock can add.
SteadyTime deadline_after(std::chrono::microseconds timeout) noexcept {
    constexpr std::chrono::microseconds kLongest = std::chrono::hours(24);
    return real_clock().steady_now() +
           std::clamp(timeout, std::chrono::microseconds::zero(), kLongest);
}

std::uint64_t lost_count(const PipelineCounts& counts) noexcept {
    std::uint64_t lost = 0;
    for (const auto& sink : counts.sinks) {
        lost += sink.dropped.total();
    }
    return lost;
}

}  // namespace

SpanPipeline::SpanPipeline(
    Options options,
    const ExportResource& resource,
    const std::vector<std::shared_ptr<SpanSink>>& sinks
)
    : options_(options) {
    for (const auto& sink : sinks) {
        sink->begin(resource);
        if (sink->delivery() == SpanSink::Delivery::at_span_end) {
            direct_.push_back(std::make_unique<DirectSink>(sink));
        } else {
            queues_.push_back(std::make_unique<SinkQueue>(sink, options_.batch));
        }
    }
}

SpanPipeline::~SpanPipeline() = default;

PipelineCounts SpanPipeline::counts() const {
    PipelineCounts counts;
    // In this order a span that moves on meanwhile is never counted as ended but not started.
    counts.unsampled = unsampled_.load(std::memory_order_acquire);
    const auto ended = ended_.load(std::memory_order_acquire);
    counts.started = started_.load(std::memory_order_acquire);
    counts.open = counts.started - ended;
    for (const auto& direct : direct_) {
        SinkCounts sink;
        sink.name = direct->sink->name();
        sink.dropped.export_failed = direct->failed.load(std::memory_order_acquire);
        sink.offered = direct->offered.load(std::memory_order_acquire);
        sink.exported = sink.offered - sink.dropped.export_failed;
        counts.sinks.push_back(std::move(sink));
    }
    for (const auto& queue : queues_) {
        counts.sinks.push_back(queue->counts());
    }
    return counts;
}

std::unique_ptr<sdk::Recordable> SpanPipeline::MakeRecordable() noexcept {
    return std::make_unique<SpanRecordable>(options_.limits);
}

void SpanPipeline::OnStart(
    sdk::Recordable& span, const opentelemetry::trace::SpanContext& parent_context
) noexcept {
    started_.fetch_add(1, std::memory_order_relaxed);
    static_cast<SpanRecordable&>(span).set_parent_is_remote(parent_context.IsRemote());
}

void SpanPipeline::OnEnd(std::unique_ptr<sdk::Recordable>&& span) noexcept {
    const auto recordable =
        std::unique_ptr<SpanRecordable>(static_cast<SpanRecordable*>(span.release()));
    const SpanRecordPtr record = std::move(*recordable).take();
    if (!record->is_sampled()) {
        unsampled_.fetch_add(1, std::memory_order_release);
        ended_.fetch_add(1, std::memory_order_release);
        return;
    }
    for (const auto& direct : direct_) {
        direct->offered.fetch_add(1, std::memory_order_release);
        if (!direct->sink->export_spans({&record, 1})) {
            direct->failed.fetch_add(1, std::memory_order_release);
        }
    }
    for (const auto& queue : queues_) {
        queue->push(record);
    }
    ended_.fetch_add(1, std::memory_order_release);
}

bool SpanPipeline::ForceFlush(std::chrono::microseconds timeout) noexcept {
    const auto deadline = deadline_after(timeout);
    std::vector<SinkQueue::FlushTicket> tickets;
    tickets.reserve(queues_.size());
    for (const auto& queue : queues_) {
        tickets.push_back(queue->begin_flush());
    }
    bool is_complete = true;
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        is_complete = queues_[i]->wait_flushed(tickets[i], deadline) && is_complete;
    }
    return is_complete;
}

bool SpanPipeline::Shutdown(std::chrono::microseconds timeout) noexcept {
    const auto lost_before = lost_count(counts());
    const auto deadline = deadline_after(timeout);
    for (const auto& queue : queues_) {
        queue->begin_close(deadline);
    }
    for (const auto& queue : queues_) {
        queue->wait_closed(deadline);
    }
    return lost_count(counts()) == lost_before;
}

}  // namespace flowspan::exporting
