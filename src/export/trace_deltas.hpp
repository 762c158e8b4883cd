#pragma once
// Collects what a write changes in the sums of each trace.

#include "export/span_record.hpp"
#include "store/span_rows.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace flowspan::exporting {

class TraceDeltas {
public:
    /// What a span's row does to its trace's sums.
    enum class Step : std::uint8_t {
        started,           ///< a new row, open
        changed,           ///< an open row, still open
        ended,             ///< an open row that ends
        started_and_ended  ///< a new row, ended
    };

    void add(const SpanRecord& span, Step step, std::size_t row_bytes);
    /// The run of an ended span was broken off.
    void add_interrupted(const SpanRecord& span);

    [[nodiscard]] std::vector<store::TraceDelta> take();

private:
    store::TraceDelta& find(const SpanRecord& span);

    std::unordered_map<std::string, store::TraceDelta> deltas_;
};

}  // namespace flowspan::exporting
