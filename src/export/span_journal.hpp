#pragma once
// SpanJournal: what a process knows of its newest spans, in memory that outlives the process.

#include "export/span_record.hpp"
#include "flowspan/base/result.hpp"
#include "store/span_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace flowspan::exporting {

/// A file mapped into memory, so that writing to it costs no call, and what stands there is still
/// there when the process has been killed. It holds each span from its start until the store has
/// its end: ids, name, times, status, and the few facts that say which node it was.
/// Not synchronised, but `end` may run beside calls for other spans.
class SpanJournal {
public:
    /// Null if the file cannot be made: then a kill loses what the store does not have yet.
    [[nodiscard]] static std::unique_ptr<SpanJournal> make(
        const std::filesystem::path& store_path, const store::ProcessRow& process
    );

    /// Unless `discard` was called, the file stays.
    ~SpanJournal();
    SpanJournal(const SpanJournal&) = delete;
    SpanJournal& operator=(const SpanJournal&) = delete;

    /// How many spans the process has started.
    void set_started(std::uint64_t count) noexcept;

    /// The slot that the span has from now on; 0 if all are taken.
    [[nodiscard]] std::uint32_t add(const SpanRecord& span) noexcept;

    /// The span in `slot` has ended.
    void end(std::uint32_t slot, const SpanRecord& span) noexcept;

    /// The store has the span, or nobody ever will. Nothing if the slot is another's by now.
    void remove(std::uint32_t slot, const opentelemetry::trace::SpanId& span_id) noexcept;

    /// Removes the file: the process ends in order.
    void discard() noexcept;

private:
    struct Layout;

    SpanJournal(std::filesystem::path path, int descriptor, Layout* layout);

    std::filesystem::path path_;
    int descriptor_;  // holds the file's lock
    Layout* layout_;
    std::uint32_t next_unused_ = 1;
    std::vector<std::uint32_t> free_;

    friend class LostJournal;
};

/// The journal of a process that went away. Locked while it lives, so that only one program reads
/// it.
class LostJournal {
public:
    /// All that nobody holds: a process that lives holds its own.
    [[nodiscard]] static std::vector<LostJournal> find_all(const std::filesystem::path& store_path);

    /// The process has one and lives, or another program reads it.
    [[nodiscard]] static bool is_held(
        const std::filesystem::path& store_path, std::int64_t process_id
    );

    LostJournal(LostJournal&& other) noexcept;
    LostJournal& operator=(LostJournal&& other) noexcept;
    ~LostJournal();

    /// Id, pid, start and resource.
    [[nodiscard]] const store::ProcessRow& process() const noexcept { return process_; }

    [[nodiscard]] std::uint64_t started() const noexcept { return started_; }

    /// Open unless they had ended; then without what they learned after their start, and marked so.
    [[nodiscard]] const std::vector<std::shared_ptr<SpanRecord>>& spans() const noexcept {
        return spans_;
    }

    /// Removes the file: the store has it all.
    void discard() noexcept;

private:
    LostJournal(std::filesystem::path path, int descriptor)
        : path_(std::move(path)), descriptor_(descriptor) {}

    [[nodiscard]] static std::optional<LostJournal> open(const std::filesystem::path& path);
    [[nodiscard]] bool read();

    std::filesystem::path path_;
    int descriptor_;
    store::ProcessRow process_;
    std::uint64_t started_ = 0;
    std::vector<std::shared_ptr<SpanRecord>> spans_;
};

}  // namespace flowspan::exporting
