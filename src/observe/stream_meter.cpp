#include "observe/stream_meter.hpp"

#include "flowspan/async/moment.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <variant>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

void StreamMeter::add_chunk() {
    const auto now = async::moment();
    if (!first_at_) {
        first_at_ = now;
    } else {
        gap_max_ = std::max<std::chrono::nanoseconds>(gap_max_, now - last_at_);
    }
    last_at_ = now;
    ++chunks_;
}

void StreamMeter::add_usage(const engine::NodeResult& result) {
    if (const auto* facts = std::get_if<engine::ModelFacts>(&result.record.facts)) {
        tokens_ += facts->total_tokens();
        price_ += facts->total_price;
        currency_ = facts->currency;
    }
}

void StreamMeter::on_event(const engine::Event& event) {
    if (const auto* chunk = std::get_if<engine::NodeRunStreamChunk>(&event)) {
        if (!chunk->chunk.empty()) {
            add_chunk();
        }
    } else if (const auto* succeeded = std::get_if<engine::NodeRunSucceeded>(&event)) {
        add_usage(*succeeded->result);
    } else if (const auto* failed = std::get_if<engine::NodeRunFailed>(&event)) {
        add_usage(*failed->result);
    } else if (const auto* handled = std::get_if<engine::NodeRunException>(&event)) {
        add_usage(*handled->result);
    } else if (const auto* retry = std::get_if<engine::NodeRunRetry>(&event)) {
        add_usage(*retry->result);
    }
    consumer_.on_event(event);
}

void StreamMeter::write_timing(trace::Span& span) const {
    if (!first_at_) {
        return;
    }
    set(span, names::kFlowspanFirstChunk, seconds(*first_at_ - started_at_));
    set(span, names::kFlowspanChunkCount, chunks_);
    set(span, names::kFlowspanChunkGapMax, seconds(gap_max_));
    if (chunks_ > 1) {
        set(span,
            names::kFlowspanChunkGapMean,
            seconds(last_at_ - *first_at_) / static_cast<double>(chunks_ - 1));
    }
}

void StreamMeter::write_usage(trace::Span& span) const {
    set(span, names::kDifyWorkflowTotalTokens, tokens_);
    if (price_ > 0) {
        set(span, names::kDifyWorkflowTotalPrice, price_);
        set(span, names::kDifyWorkflowCurrency, currency_);
    }
}

}  // namespace flowspan::observe
