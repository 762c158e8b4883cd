#include "export/trace_ids.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/trace/propagation.hpp"

#include <array>
#include <cstring>
#include <mutex>
#include <utility>

namespace flowspan::exporting {

namespace {

class SeededIds final : public opentelemetry::sdk::trace::IdGenerator {
public:
    explicit SeededIds(std::uint64_t seed) : IdGenerator(true), random_(make_seeded_random(seed)) {}

    opentelemetry::trace::SpanId GenerateSpanId() noexcept override {
        std::array<std::uint8_t, 8> bytes{};
        fill(bytes);
        return opentelemetry::trace::SpanId(
            opentelemetry::nostd::span<const std::uint8_t, 8>(bytes.data(), bytes.size())
        );
    }

    opentelemetry::trace::TraceId GenerateTraceId() noexcept override {
        std::array<std::uint8_t, 16> bytes{};
        fill(bytes);
        return opentelemetry::trace::TraceId(
            opentelemetry::nostd::span<const std::uint8_t, 16>(bytes.data(), bytes.size())
        );
    }

private:
    template <std::size_t N>
    void fill(std::array<std::uint8_t, N>& bytes) {
        const std::scoped_lock lock(mutex_);
        for (std::size_t at = 0; at < N; at += sizeof(std::uint64_t)) {
            const std::uint64_t word = random_->next() | 1U;  // an all-zero id is invalid
            std::memcpy(bytes.data() + at, &word, sizeof(word));
        }
    }

    std::mutex mutex_;
    std::unique_ptr<Random> random_;
};

class RequestedIds final : public opentelemetry::sdk::trace::IdGenerator {
public:
    explicit RequestedIds(std::unique_ptr<IdGenerator> inner)
        : IdGenerator(inner->IsRandom()), inner_(std::move(inner)) {}

    opentelemetry::trace::SpanId GenerateSpanId() noexcept override {
        return inner_->GenerateSpanId();
    }

    // Only asked by spans without a parent.
    opentelemetry::trace::TraceId GenerateTraceId() noexcept override {
        const auto requested = trace::requested_trace_id();
        return requested ? *requested : inner_->GenerateTraceId();
    }

private:
    std::unique_ptr<IdGenerator> inner_;
};

}  // namespace

std::unique_ptr<opentelemetry::sdk::trace::IdGenerator> make_seeded_ids(std::uint64_t seed) {
    return std::make_unique<SeededIds>(seed);
}

std::unique_ptr<opentelemetry::sdk::trace::IdGenerator> accept_requested_ids(
    std::unique_ptr<opentelemetry::sdk::trace::IdGenerator> inner
) {
    return std::make_unique<RequestedIds>(std::move(inner));
}

}  // namespace flowspan::exporting
