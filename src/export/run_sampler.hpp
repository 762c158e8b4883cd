#pragma once
// RunSampler: which runs are exported, decided when they are over.

#include "export/span_record.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flowspan::exporting {

/// Always: offered = released + sampled_out + sampled_early + undecided.
struct RunSamplerCounts {
    std::uint64_t offered = 0;
    std::uint64_t released = 0;
    std::uint64_t sampled_out = 0;
    std::uint64_t sampled_early = 0;
    std::uint64_t undecided = 0;
};

/// Holds the ended spans of each trace until its last local root (the app's span, a request) ends,
/// and then lets all of them go on or none. Any thread; traces share a lock only by chance.
class RunSampler {
public:
    /// What is to go on now, and the judgement, if one was just made.
    struct Outcome {
        std::vector<SpanRecordPtr> released;
        /// `kept: failed`, `dropped: ratio`; empty without a judgement.
        std::string_view judgement;
    };

    explicit RunSampler(const RunSamplingConfig& config);

    void on_root_start(const opentelemetry::trace::TraceId& trace_id);
    [[nodiscard]] Outcome on_end(const SpanRecordPtr& span);

    /// Judges all runs by what is known of them: the process ends.
    [[nodiscard]] std::vector<SpanRecordPtr> finish();

    [[nodiscard]] RunSamplerCounts counts() const noexcept;

private:
    struct TraceKey {
        std::uint64_t high = 0;
        std::uint64_t low = 0;

        bool operator==(const TraceKey&) const = default;
    };

    struct TraceKeyHash {
        std::size_t operator()(const TraceKey& key) const noexcept { return key.high ^ key.low; }
    };

    struct Run {
        std::vector<SpanRecordPtr> spans;
        std::size_t bytes = 0;
        std::int64_t open_roots = 0;
        std::int64_t tokens = 0;
        std::string_view interest;  ///< why it is kept; empty so far
        bool was_judged_early = false;
    };

    // Judgements are remembered for spans that end after their run, the oldest forgotten first.
    struct Shard {
        std::mutex mutex;
        std::unordered_map<TraceKey, Run, TraceKeyHash> runs;
        std::unordered_map<TraceKey, bool, TraceKeyHash> judged;
        std::deque<TraceKey> judged_order;
    };

    static TraceKey key_of(const opentelemetry::trace::TraceId& id) noexcept;
    [[nodiscard]] Shard& shard_of(const TraceKey& key) noexcept;
    [[nodiscard]] bool is_chosen(const TraceKey& key) const noexcept;
    [[nodiscard]] std::string_view interest_of(const SpanRecord& span, Run& run) const;
    [[nodiscard]] Outcome end_late(Shard& shard, const TraceKey& key, const SpanRecordPtr& span);
    void hold(Run& run, const SpanRecordPtr& span);
    [[nodiscard]] Outcome judge(Shard& shard, const TraceKey& key, Run run);
    void relieve(Shard& shard, std::vector<SpanRecordPtr>& released);
    static void remember(Shard& shard, const TraceKey& key, bool is_kept);

    static constexpr std::size_t kShards = 16;

    const RunSamplingConfig config_;
    const std::uint64_t bound_;
    std::array<Shard, kShards> shards_;
    std::atomic<std::uint64_t> held_spans_{0};
    std::atomic<std::uint64_t> held_bytes_{0};
    std::atomic<std::uint64_t> offered_{0};
    std::atomic<std::uint64_t> released_{0};
    std::atomic<std::uint64_t> sampled_out_{0};
    std::atomic<std::uint64_t> sampled_early_{0};
};

}  // namespace flowspan::exporting
