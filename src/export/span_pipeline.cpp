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
        lost += sink.dropped.lost();
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
    if (options_.run_sampling.ratio < 1.0) {
        sampler_ = std::make_unique<RunSampler>(options_.run_sampling);
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
    if (options_.pending_after.count() > 0 && sampler_ == nullptr) {
        pending_ = std::make_unique<PendingSpans>(
            options_.pending_after,
            [this](const SpanRecordPtr& pending) {
                announced_.fetch_add(1, std::memory_order_release);
                push_sampled(pending);
            }
        );
        observers_.push_back({pending_.get(), nullptr});
    }
}

SpanPipeline::~SpanPipeline() {
    pending_.reset();
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
    const auto sampled = sampler_ == nullptr ? RunSamplerCounts() : sampler_->counts();
    for (const auto& queue : queues_) {
        const auto last = sequence_.load(std::memory_order_acquire);
        const auto settled_through = std::min(queue->first_unsettled() - 1, last);
        counts.sinks.push_back(queue->counts());
        auto& sink = counts.sinks.back();
        sink.settled_through = settled_through;
        if (!queue->sink().wants_all_spans()) {
            sink.announced = announced_.load(std::memory_order_acquire);
            sink.offered -= std::min(sink.announced, sink.offered);
            sink.undecided = sampled.undecided;
            sink.dropped.sampled_out = sampled.sampled_out;
            sink.dropped.sampled_early = sampled.sampled_early;
            sink.offered += sampled.undecided + sampled.sampled_out + sampled.sampled_early;
        }
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
    const auto& record = recordable.record();
    if (sampler_ != nullptr && record.is_sampled() && record.is_local_root()) {
        sampler_->on_root_start(record.trace_id);
        judged(record.trace_id, "undecided");
    }
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
    for (const auto& [observer, queue] : observers_) {
        observer->on_end(*record);
    }
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
        if (sampler_ == nullptr || queue->sink().wants_all_spans()) {
            queue->push(record);
        }
    }
    if (sampler_ != nullptr) {
        const auto outcome = sampler_->on_end(record);
        std::ranges::for_each(outcome.released, [this](const auto& kept) { push_sampled(kept); });
        if (!outcome.judgement.empty()) {
            judged(record->trace_id, outcome.judgement);
        }
    }
    ended_.fetch_add(1, std::memory_order_release);
}

void SpanPipeline::push_sampled(const SpanRecordPtr& span) {
    for (const auto& queue : queues_) {
        if (!queue->sink().wants_all_spans()) {
            queue->push(span);
        }
    }
}

void SpanPipeline::judged(
    const opentelemetry::trace::TraceId& trace_id, std::string_view judgement
) {
    for (const auto& [observer, queue] : observers_) {
        observer->on_judged(trace_id, judgement);
    }
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

bool SpanPipeline::settle_store(std::chrono::microseconds timeout) noexcept {
    const auto deadline = deadline_after(timeout);
    return std::ranges::all_of(queues_, [deadline](const auto& queue) {
        return queue->sink().find_observer() == nullptr || queue->wait_round(deadline);
    });
}

bool SpanPipeline::Shutdown(std::chrono::microseconds timeout) noexcept {
    const auto lost_before = lost_count(counts());
    const auto deadline = deadline_after(timeout);
    if (pending_ != nullptr) {
        pending_->stop();
    }
    if (sampler_ != nullptr) {
        std::ranges::for_each(sampler_->finish(), [this](const auto& kept) { push_sampled(kept); });
    }
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
