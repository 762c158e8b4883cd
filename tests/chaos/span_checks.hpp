#pragma once
// The oracle of the chaos run: who may hang below whom, and which ids must agree.

#include "export/span_record.hpp"
#include "export/span_sink.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace flowspan::chaos {

/// What the checks read of a span.
struct SpanRow {
    std::string trace;
    std::string id;
    std::string parent;  ///< empty: a root
    std::string name;
    std::string node_id;
    std::string run_id;
    std::string user;
    std::string iteration_id;
    std::string loop_id;
    std::int64_t index = -1;  ///< of the round
    std::string url;
    std::string end_reason;
    bool is_resumed = false;  ///< a part of a run that goes on after a pause
};

[[nodiscard]] SpanRow read_row(const exporting::SpanRecord& span);

/// Keeps rows only: whole spans of two thousand runs would be large.
class RowSink final : public exporting::SpanSink {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "rows"; }

    [[nodiscard]] Delivery delivery() const noexcept override { return Delivery::at_span_end; }

    [[nodiscard]] Result<exporting::ExportReceipt> export_spans(exporting::SpanBatch batch
    ) override;

    /// After all spans have ended.
    [[nodiscard]] std::vector<SpanRow> take();

private:
    struct Shard {
        std::mutex mutex;
        std::vector<SpanRow> rows;
    };

    std::array<Shard, 16> shards_;  // by thread
};

struct SpanReport {
    std::int64_t spans = 0;
    std::int64_t traces = 0;
    std::int64_t roots = 0;
    std::int64_t http = 0;
    std::int64_t sql = 0;
    std::int64_t resumed = 0;
    std::int64_t ended_twice = 0;  ///< ids that came more than once
    std::int64_t orphans = 0;      ///< the parent is not in the trace
    std::int64_t misparented = 0;
    std::int64_t outside_of_nodes = 0;  ///< HTTP and SQL spans that no node is above of
    std::int64_t strangers = 0;         ///< names that the table does not know
    std::map<std::string, std::int64_t> names;
    std::vector<std::string> samples;    ///< some of the faults, in words
    std::vector<std::string> leftovers;  ///< spans of nodes and rounds that the end of a run ended

    [[nodiscard]] std::int64_t faults() const noexcept {
        return ended_twice + orphans + misparented + outside_of_nodes + strangers;
    }
};

[[nodiscard]] SpanReport check_spans(const std::vector<SpanRow>& rows);

}  // namespace flowspan::chaos
