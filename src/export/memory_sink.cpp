#include "export/memory_sink.hpp"

#include <utility>

namespace flowspan::exporting {

std::vector<SpanRecordPtr> MemorySink::spans() const {
    const std::scoped_lock lock(mutex_);
    return spans_;
}

std::vector<SpanRecordPtr> MemorySink::take() {
    const std::scoped_lock lock(mutex_);
    bytes_ = 0;
    return std::exchange(spans_, {});
}

Result<ExportReceipt> MemorySink::export_spans(SpanBatch batch) {
    const std::scoped_lock lock(mutex_);
    for (const auto& span : batch) {
        const auto size = span->byte_size();
        if (spans_.size() >= spans_max_ || bytes_ + size > bytes_max_) {
            return failure(ErrorCode::limit_exceeded, "the span memory is full");
        }
        bytes_ += size;
        spans_.push_back(span);
    }
    return ExportReceipt{};
}

}  // namespace flowspan::exporting
