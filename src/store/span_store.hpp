#pragma once
// The local span store: one SQLite file that knows spans while they run.

#include "infra/sql/connection.hpp"
#include "store/owner_locks.hpp"
#include "store/span_rows.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::store {

struct SpanStoreOptions {
    std::filesystem::path path;
    std::chrono::seconds age_max = std::chrono::hours(24 * 7);  ///< older traces are removed
    std::uint64_t bytes_max = 256UL * 1024UL * 1024UL;          ///< the oldest traces go first
    bool is_read_only = false;                                  ///< `not_found` if there is no file
};

struct StoreSize {
    std::int64_t file_bytes = 0;  ///< pages in use, without the log
    std::int64_t traces = 0;
    std::int64_t spans = 0;
};

/// Several processes may write to one file, each in transactions of its own. All calls block and
/// make no span; one thread at a time.
class SpanStore {
public:
    /// Opens or makes the file. A file of a newer program is `unsupported`, one that is no store
    /// `invalid_input`.
    [[nodiscard]] static Result<std::unique_ptr<SpanStore>> open(const SpanStoreOptions& options);

    /// Registers the writer under `process.id` and holds its lock until this store is destroyed.
    [[nodiscard]] Result<void> begin_process(const ProcessRow& process);

    /// All of it, or nothing. `limit_exceeded` while the file is at its size limit and nothing can
    /// be removed.
    [[nodiscard]] Result<void> write(const SpanWrite& write);

    /// Removes what is too old, then the oldest until the size fits; traces that run are kept.
    /// Returns how many traces went.
    [[nodiscard]] Result<std::int64_t> prune(std::int64_t now_ns);

    /// A row for a process that went away before it could register; nothing if it has one.
    [[nodiscard]] Result<void> add_lost_process(const ProcessRow& process);
    /// Processes that neither ended nor live.
    [[nodiscard]] Result<std::vector<ProcessRow>> find_lost_processes();
    /// Takes over a lost process, so that only one program closes its spans; nothing if another
    /// does or has done so. `write` with its row and `is_crashed` finishes it; then release.
    [[nodiscard]] Result<std::optional<ProcessRow>> take_over(std::int64_t process_id);
    /// Locks a process that is lost and closed, as `take_over` does.
    [[nodiscard]] Result<std::optional<ProcessRow>> take_over_closed(std::int64_t process_id);
    [[nodiscard]] Result<std::vector<ProcessRow>> list_crashed_processes();
    /// In order of their ends.
    [[nodiscard]] Result<std::vector<SpanRow>> ended_spans_of(std::int64_t process_id);
    void release(std::int64_t process_id);
    [[nodiscard]] Result<std::vector<SpanRow>> open_spans_of(std::int64_t process_id);

    [[nodiscard]] Result<std::optional<SpanRow>> find_span(
        std::string_view trace_id, std::string_view span_id
    );

    /// Newest first.
    [[nodiscard]] Result<std::vector<TraceRow>> list_traces(const TraceFilter& filter);
    /// By a prefix of the id; more than one is for the caller to refuse. At most `limit`.
    [[nodiscard]] Result<std::vector<TraceRow>> find_traces(
        std::string_view id_prefix, std::int64_t limit
    );
    /// Those with a span that has the text among its values, newest first: reads all spans. At most
    /// `limit`.
    [[nodiscard]] Result<std::vector<TraceRow>> find_traces_with(
        std::string_view value, std::int64_t limit
    );
    /// Spans written after the given change; 0 gives all. In order of their start.
    [[nodiscard]] Result<std::vector<SpanRow>> read_spans(
        std::string_view trace_id, std::int64_t after_change = 0
    );
    /// Grows with each write of any process.
    [[nodiscard]] Result<std::int64_t> last_change();
    /// Newest first.
    [[nodiscard]] Result<std::vector<ProcessRow>> list_processes(std::int64_t limit);
    [[nodiscard]] Result<std::vector<ProcessRow>> processes_of(std::string_view trace_id);
    [[nodiscard]] bool is_alive(std::int64_t process_id) const;
    [[nodiscard]] Result<StoreSize> size();

    [[nodiscard]] const SpanStoreOptions& options() const noexcept { return options_; }

private:
    explicit SpanStore(SpanStoreOptions options);

    [[nodiscard]] Result<void> prepare_schema();
    [[nodiscard]] Result<std::optional<ProcessRow>> hold_if(
        std::int64_t process_id, std::string_view condition
    );
    [[nodiscard]] Result<std::int64_t> read_number(std::string_view query);
    [[nodiscard]] Result<std::int64_t> used_bytes();
    [[nodiscard]] Result<std::int64_t> remove_traces(
        const std::string& condition, std::vector<sql::Field> parameters
    );

    SpanStoreOptions options_;
    sql::Connection connection_;
    OwnerLocks locks_;
    std::int64_t own_process_ = 0;
    bool is_full_ = false;
};

}  // namespace flowspan::store
