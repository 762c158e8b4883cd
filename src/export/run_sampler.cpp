#include "export/run_sampler.hpp"

#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace flowspan::exporting {

namespace {

namespace names = trace::names;
using opentelemetry::trace::SpanKind;
using opentelemetry::trace::StatusCode;

constexpr std::size_t kRememberedPerShard = 512;

std::uint64_t to_bound(double ratio) noexcept {
    if (ratio >= 1.0) {
        return std::numeric_limits<std::uint64_t>::max();
    }
    return ratio > 0.0 ? static_cast<std::uint64_t>(ratio * 0x1p64) : 0;
}

// The head sampler looks at the same bytes: without mixing, all that it lets through would be
// chosen here too. Steps of the splitmix64 generator.
std::uint64_t mix(std::uint64_t bits) noexcept {
    bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebULL;
    return bits ^ (bits >> 31U);
}

bool is_flagged(const SpanRecord& span) {
    bool is_kept = false;
    span.for_each_attribute([&is_kept](const AttributeView& attribute) {
        if (attribute.key == names::kFlowspanSamplingKeep) {
            const auto* flag = std::get_if<bool>(&attribute.value);
            is_kept = flag != nullptr && *flag;
        }
    });
    return is_kept;
}

}  // namespace

RunSampler::RunSampler(const RunSamplingConfig& config)
    : config_(config), bound_(to_bound(config.ratio)) {}

RunSampler::TraceKey RunSampler::key_of(const opentelemetry::trace::TraceId& id) noexcept {
    TraceKey key;
    std::memcpy(&key.high, id.Id().data(), sizeof(key.high));
    std::memcpy(&key.low, id.Id().data() + sizeof(key.high), sizeof(key.low));
    return key;
}

RunSampler::Shard& RunSampler::shard_of(const TraceKey& key) noexcept {
    return shards_[mix(key.low) % kShards];
}

bool RunSampler::is_chosen(const TraceKey& key) const noexcept {
    return mix(key.high ^ mix(key.low)) < bound_;
}

void RunSampler::on_root_start(const opentelemetry::trace::TraceId& trace_id) {
    const auto key = key_of(trace_id);
    auto& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    auto& run = shard.runs[key];
    ++run.open_roots;
    // What was kept once is kept whole.
    if (const auto judged = shard.judged.find(key);
        judged != shard.judged.end() && judged->second) {
        run.interest = "kept: as before";
    }
}

std::string_view RunSampler::interest_of(const SpanRecord& span, Run& run) const {
    if (span.status() == StatusCode::kError) {
        return "kept: failed";
    }
    if (is_flagged(span)) {
        return "kept: flagged";
    }
    if (span.kind == SpanKind::kClient) {
        run.tokens += std::max<std::int64_t>(0, span.integer(names::kGenAiUsageInputTokens)) +
                      std::max<std::int64_t>(0, span.integer(names::kGenAiUsageOutputTokens));
    }
    const bool has_many_tokens = config_.tokens > 0 && run.tokens >= config_.tokens;
    const bool is_expensive =
        config_.cost > 0 && span.number(names::kDifyWorkflowTotalPrice) >= config_.cost;
    if (has_many_tokens || is_expensive) {
        return "kept: costly";
    }
    const auto slow = std::chrono::nanoseconds(config_.slow).count();
    return slow > 0 && span.is_local_root() && span.duration_ns >= slow ? "kept: slow" : "";
}

void RunSampler::hold(Run& run, const SpanRecordPtr& span) {
    const auto bytes = span->byte_size();
    run.spans.push_back(span);
    run.bytes += bytes;
    held_spans_.fetch_add(1, std::memory_order_relaxed);
    held_bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

void RunSampler::remember(Shard& shard, const TraceKey& key, bool is_kept) {
    const auto [found, is_new] = shard.judged.insert_or_assign(key, is_kept);
    static_cast<void>(found);
    if (!is_new) {
        return;
    }
    shard.judged_order.push_back(key);
    if (shard.judged_order.size() > kRememberedPerShard) {
        shard.judged.erase(shard.judged_order.front());
        shard.judged_order.pop_front();
    }
}

// Its run is over, or began in no span of this process.
RunSampler::Outcome RunSampler::end_late(
    Shard& shard, const TraceKey& key, const SpanRecordPtr& span
) {
    const auto judged = shard.judged.find(key);
    const bool is_kept = judged == shard.judged.end() ? is_chosen(key) : judged->second;
    if (!is_kept) {
        sampled_out_.fetch_add(1, std::memory_order_release);
        return {};
    }
    released_.fetch_add(1, std::memory_order_release);
    return {{span}, {}};
}

RunSampler::Outcome RunSampler::judge(Shard& shard, const TraceKey& key, Run run) {
    held_spans_.fetch_sub(run.spans.size(), std::memory_order_relaxed);
    held_bytes_.fetch_sub(run.bytes, std::memory_order_relaxed);
    const bool is_kept = !run.interest.empty() || (!run.was_judged_early && is_chosen(key));
    remember(shard, key, is_kept);
    if (!is_kept) {
        sampled_out_.fetch_add(run.spans.size(), std::memory_order_release);
        return {{}, "dropped: ratio"};
    }
    released_.fetch_add(run.spans.size(), std::memory_order_release);
    return {std::move(run.spans), run.interest.empty() ? "kept: ratio" : run.interest};
}

// The largest run of the shard is judged now by what is known of it. If it is of no interest so far
// its spans go; should it fail later, what ends from then on is kept, and that is always a tree:
// parents end after their children.
void RunSampler::relieve(Shard& shard, std::vector<SpanRecordPtr>& released) {
    const auto largest = std::ranges::max_element(shard.runs, {}, [](const auto& entry) {
        return entry.second.bytes;
    });
    auto& [key, run] = *largest;
    held_spans_.fetch_sub(run.spans.size(), std::memory_order_relaxed);
    held_bytes_.fetch_sub(std::exchange(run.bytes, 0), std::memory_order_relaxed);
    auto spans = std::exchange(run.spans, {});
    if (run.interest.empty() && is_chosen(key)) {
        run.interest = "kept: ratio";
    }
    if (run.interest.empty()) {
        run.was_judged_early = true;
        sampled_early_.fetch_add(spans.size(), std::memory_order_release);
        return;
    }
    released_.fetch_add(spans.size(), std::memory_order_release);
    std::ranges::move(spans, std::back_inserter(released));
}

RunSampler::Outcome RunSampler::on_end(const SpanRecordPtr& span) {
    offered_.fetch_add(1, std::memory_order_release);
    const auto key = key_of(span->trace_id);
    auto& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.runs.find(key);
    if (found == shard.runs.end()) {
        return end_late(shard, key, span);
    }
    auto& run = found->second;
    if (const auto interest = interest_of(*span, run); run.interest.empty()) {
        run.interest = interest;
    }
    hold(run, span);
    if (span->is_local_root() && --run.open_roots <= 0) {
        auto ended = std::move(run);
        shard.runs.erase(found);
        return judge(shard, key, std::move(ended));
    }
    Outcome outcome;
    while ((held_spans_.load(std::memory_order_relaxed) > config_.buffer_spans_max ||
            held_bytes_.load(std::memory_order_relaxed) > config_.buffer_bytes_max) &&
           std::ranges::any_of(shard.runs, [](const auto& entry) { return entry.second.bytes > 0; })
    ) {
        relieve(shard, outcome.released);
    }
    return outcome;
}

std::vector<SpanRecordPtr> RunSampler::finish() {
    std::vector<SpanRecordPtr> released;
    for (auto& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        for (auto& [key, run] : std::exchange(shard.runs, {})) {
            auto outcome = judge(shard, key, std::move(run));
            std::ranges::move(outcome.released, std::back_inserter(released));
        }
    }
    return released;
}

RunSamplerCounts RunSampler::counts() const noexcept {
    RunSamplerCounts counts;
    // What moves on meanwhile must not make the rest negative.
    counts.released = released_.load(std::memory_order_acquire);
    counts.sampled_out = sampled_out_.load(std::memory_order_acquire);
    counts.sampled_early = sampled_early_.load(std::memory_order_acquire);
    counts.offered = offered_.load(std::memory_order_acquire);
    counts.undecided = counts.offered - counts.released - counts.sampled_out - counts.sampled_early;
    return counts;
}

}  // namespace flowspan::exporting
