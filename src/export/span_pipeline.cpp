#include "export/span_pipeline.hpp"

#include "export/span_recordable.hpp"

#include <opentelemetry/trace/span_context.h>

#include <algorithm>
#include <utility>

namespace sdk = opentelemetry::sdk::trace;

namespace flowspan::exporting {

namespace {

constexpr std::chrono::milliseconds kBooksTime{500};

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
    : options_(std::move(options)) {
    if (options_.redactor == nullptr) {
        options_.redactor = trace::Redactor::make_default();
    }
    for (const auto& sink : sinks) {
        sink->begin(resource);
        if (sink->delivery() == SpanSink::Delivery::at_span_end) {
            direct_.push_back(std::make_unique<DirectSink>(sink));
        } else {
            queues_.push_back(std::make_unique<SinkQueue>(sink, options_.batch));
        }
        if (auto* observer = sink->find_observer(); observer != nullptr) {
            const bool is_queued = sink->delivery() == SpanSink::Delivery::queued;
            observers_.push_back({observer, is_queued ? queues_.back().get() : nullptr});
            observer->set_books([this] { return counts(); });
        }
    }
}

SpanPipeline::~SpanPipeline() {
    for (const auto& [observer, queue] : observers_) {
        observer->set_books({});
    }
}

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
        const auto last = sequence_.load(std::memory_order_acquire);
        const auto settled_through = std::min(queue->first_unsettled() - 1, last);
        counts.sinks.push_back(queue->counts());
        counts.sinks.back().settled_through = settled_through;
    }
    return counts;
}

std::unique_ptr<sdk::Recordable> SpanPipeline::MakeRecordable() noexcept {
    return std::make_unique<SpanRecordable>(
        options_.limits,
        *options_.redactor,
        observers_.empty() ? SpanRecordable::Observed::no : SpanRecordable::Observed::yes
    );
}

void SpanPipeline::OnStart(
    sdk::Recordable& span, const opentelemetry::trace::SpanContext& parent_context
) noexcept {
    started_.fetch_add(1, std::memory_order_relaxed);
    auto& recordable = static_cast<SpanRecordable&>(span);
    recordable.set_parent_is_remote(parent_context.IsRemote());
    for (const auto& [observer, queue] : observers_) {
        observer->on_start(recordable.live());
        if (queue != nullptr) {
            queue->wake();
        }
    }
}

void SpanPipeline::OnEnd(std::unique_ptr<sdk::Recordable>&& span) noexcept {
    const auto recordable =
        std::unique_ptr<SpanRecordable>(static_cast<SpanRecordable*>(span.release()));
    const SpanRecordPtr record =
        std::move(*recordable).take(sequence_.fetch_add(1, std::memory_order_relaxed) + 1);
    if (!record->is_sampled()) {
        unsampled_.fetch_add(1, std::memory_order_release);
        ended_.fetch_add(1, std::memory_order_release);
        return;
    }
    for (const auto& direct : direct_) {
        direct->offered.fetch_add(1, std::memory_order_release);
        const auto prepared = direct->sink->prepare(record);
        if (!direct->sink->export_spans({&prepared, 1})) {
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
    // A sink that keeps the books closes last, so that they are final; it needs milliseconds.
    const auto books_share = observers_.empty()
                                 ? SteadyTime::duration::zero()
                                 : std::min<SteadyTime::duration>(
                                       kBooksTime, (deadline - real_clock().steady_now()) / 4
                                   );
    for (const bool keeps_books : {false, true}) {
        const auto until = keeps_books ? deadline : deadline - books_share;
        for (const auto& queue : queues_) {
            if ((queue->sink().find_observer() != nullptr) == keeps_books) {
                queue->begin_close(until);
            }
        }
        for (const auto& queue : queues_) {
            if ((queue->sink().find_observer() != nullptr) == keeps_books) {
                queue->wait_closed(until);
            }
        }
    }
    return lost_count(counts()) == lost_before;
}

}  // namespace flowspan::exporting
