#pragma once
// Sinks without a file or a receiver: memory for the terminal's tree and tests, and nothing.

#include "export/span_sink.hpp"

#include <cstddef>
#include <mutex>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

inline constexpr std::string_view kMemoryName = "memory";

/// Keeps spans as they end, up to a limit; later ones count as failed. Thread-safe.
class MemorySink final : public SpanSink {
public:
    static constexpr std::size_t kSpansMax = 100'000;
    static constexpr std::size_t kBytesMax = 256UL * 1024UL * 1024UL;

    explicit MemorySink(std::size_t spans_max = kSpansMax, std::size_t bytes_max = kBytesMax)
        : spans_max_(spans_max), bytes_max_(bytes_max) {}

    /// In order of their end.
    [[nodiscard]] std::vector<SpanRecordPtr> spans() const;
    /// The same, and forgets them.
    [[nodiscard]] std::vector<SpanRecordPtr> take();

    [[nodiscard]] std::string_view name() const noexcept override { return kMemoryName; }

    [[nodiscard]] Delivery delivery() const noexcept override { return Delivery::at_span_end; }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override;

private:
    const std::size_t spans_max_;
    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::vector<SpanRecordPtr> spans_;
    std::size_t bytes_ = 0;
};

/// Takes everything, keeps nothing; for measuring.
class NullSink final : public SpanSink {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "null"; }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch /*batch*/) override {
        return ExportReceipt{};
    }
};

}  // namespace flowspan::exporting
