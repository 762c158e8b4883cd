#pragma once
// What an answer's consumer got and when: the facts of the app span that the stream itself has.

#include "flowspan/base/clock.hpp"
#include "flowspan/engine/event.hpp"
#include "flowspan/trace/tracer.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace flowspan::observe {

/// Passes events on and counts. Used on the run's strand.
class StreamMeter final : public engine::EventSink {
public:
    explicit StreamMeter(engine::EventSink& consumer)
        : consumer_(consumer), started_at_(real_clock().steady_now()) {}

    void on_event(const engine::Event& event) override;

    /// Time to the first piece of text, number of pieces and the gaps between them.
    void write_timing(trace::Span& span) const;

    /// Tokens and price so far, for a stream that ended without a result.
    void write_usage(trace::Span& span) const;

private:
    void add_chunk();
    void add_usage(const engine::NodeResult& result);

    engine::EventSink& consumer_;
    SteadyTime started_at_;
    std::optional<SteadyTime> first_at_;
    SteadyTime last_at_;
    std::chrono::nanoseconds gap_max_{0};
    std::int64_t chunks_ = 0;
    std::int64_t tokens_ = 0;
    double price_ = 0;
    std::string currency_;
};

}  // namespace flowspan::observe
